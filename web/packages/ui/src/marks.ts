// The marks of a map's robots on the screen. They are moved here and not by React, in px and not in units of their
// container: the style of each of 200 marks is computed again at each report of any.

/** In per cent of the map's width. */
export interface Spot { left: number; down: number; degrees: number }
const TOGETHER = 50; // ms in which reports are drawn in one frame, that is not the one in which they are received
const NARROW = 480; // px: less has no room for names beside each other
const within = (least: number, value: number, most: number) => Math.round(Math.min(most, Math.max(least, value)));

interface Mark { element: HTMLElement; spot: Spot; at: number; drawn: string }

export class Marks {
  private readonly marks = new Map<string, Mark>();
  private readonly reported: [id: string, spot: Spot, at: number][] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private width = 100; // px, until it is known

  attach(id: string, element: HTMLElement): void {
    this.marks.set(id, { element, spot: { left: 0, down: 0, degrees: 0 }, at: -Infinity, drawn: "" });
  }

  detach(id: string): void {
    this.marks.delete(id);
  }

  /** Move a mark soon, together with the others that are reported now. */
  report(id: string, spot: Spot, at: number): void {
    this.reported.push([id, spot, at]);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      for (const each of this.reported.splice(0)) this.move(...each);
    }, TOGETHER);
  }

  /** Move a mark to where its robot was at a moment, unless a newer report has moved it. */
  move(id: string, spot: Spot, at: number): void {
    const mark = this.marks.get(id);
    if (!mark || at < mark.at) return;
    mark.at = at;
    mark.spot = spot;
    this.draw(mark);
  }

  /** Put all marks where they belong on a map of another size, at once. */
  resize(map: HTMLElement): void {
    const width = map.clientWidth || this.width;
    if (width === this.width) return;
    this.width = width;
    map.style.setProperty("--size", `${within(12, 0.042 * width, 30)}px`);
    map.style.setProperty("--letters", `${within(9, 0.017 * width, 12)}px`);
    map.classList.toggle("narrow", width < NARROW);
    map.classList.add("still");
    for (const mark of this.marks.values()) if (mark.drawn) this.draw(mark);
    map.getBoundingClientRect(); // the browser must see them there before they may move again
    map.classList.remove("still");
  }

  private draw(mark: Mark): void {
    const { left, down, degrees } = mark.spot;
    const px = (share: number) => ((share * this.width) / 100).toFixed(1);
    const transform = `translate(${px(left)}px, ${px(down)}px)`;
    const drawn = `${transform} ${degrees.toFixed(0)}`;
    if (drawn === mark.drawn) return;
    mark.drawn = drawn;
    mark.element.style.transform = transform;
    const body = mark.element.firstElementChild as HTMLElement;
    body.style.rotate = `${degrees.toFixed(0)}deg`;
  }
}
