import { useEffect, useState } from "react";

/** After a dialog: what opened it may be gone, as a card that has moved on; the focus then goes to the page, not nowhere. */
export function focusPage(): void {
  const present = document.activeElement;
  if (!present || present === document.body || present.closest("[role=dialog]")) document.getElementById("main")?.focus({ preventScroll: true });
}

/** `opened`, one render later: a dialog that was closed before it opens notes what has the focus, and returns it. */
export function useOpened(opened: boolean): boolean {
  const [shown, setShown] = useState(false);
  useEffect(() => setShown(opened), [opened]);
  return shown && opened;
}
