// Drawing what takes long after the press that asked for it has been answered.
import { useElementScrollRestoration } from "@tanstack/react-router";
import { startTransition, useDeferredValue, useEffect, useRef, useState } from "react";

const MAX_WAIT = 100; // ms for a frame, which a page in the background does not get

let isPressed = false;
for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, () => (isPressed = true), { capture: true, once: true });

/** Whether nothing has been pressed yet: then there is no press to answer. Not `navigator.userActivation`, which scripts of a test activate too. */
export function isFirstLoad(): boolean {
  return !isPressed;
}

/**
 * What has come, one frame later than the page around it: that is shown first, and the rest is drawn in pieces.
 * On a first load it is drawn at once.
 */
export function useDrawn<Data>(data: Data | undefined): Data | undefined {
  const [isShown, setShown] = useState(isFirstLoad); // the page around it
  useEffect(() => (isShown ? undefined : afterFrame(() => startTransition(() => setShown(true)))), [isShown]);
  const drawn = useDeferredValue(data);
  if (isFirstLoad()) return data;
  return isShown ? drawn : undefined;
}

/** Call back when the next frame is on the screen; returns how to call it off. */
function afterFrame(callback: () => void): () => void {
  let timer = setTimeout(callback, MAX_WAIT);
  const frame = requestAnimationFrame(() => {
    clearTimeout(timer);
    timer = setTimeout(callback);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

/** Go once to the place where the page was left, as soon as it is long enough for it. */
export function useReturn(isComplete: boolean): void {
  const place = useElementScrollRestoration({ getElement: () => window });
  const left = useRef(place);
  useEffect(() => {
    if (!isComplete || !left.current) return;
    window.scrollTo(left.current.scrollX, left.current.scrollY);
    left.current = undefined;
  }, [isComplete]);
}
