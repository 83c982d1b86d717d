/** After a dialog: what opened it may be gone, as a card that has moved on; the focus then goes to the page, not nowhere. */
export function focusPage(): void {
  if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
}
