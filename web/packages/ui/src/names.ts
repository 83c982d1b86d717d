// Where the names of a map's robots stand, so that none covers another; in per cent of the map's width.
export interface Mark { id: string; name: string; left: number; down: number }
export type Side = "above" | "beside" | "below" | "before";
/** A name and its side of the mark; null where there is no room for it. */
export type Placed = { side: Side; text: string } | null;

const SIDES: Side[] = ["above", "beside", "below", "before"];
const LETTER = 1.2; // of a name's width
const HEIGHT = 2.7;
const BODY = 2.1; // half of a mark
const GAP = 0.3; // between a mark and a name beside it
const TOGETHER = 1; // marks this near are one

interface Box { x: number; y: number; width: number; height: number }

const overlap = (one: Box, other: Box) => one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height;

function boxOf({ left, down }: Mark, side: Side, width: number): Box {
  const x = { above: left - width / 2, below: left - width / 2, beside: left + BODY + GAP, before: left - BODY - GAP - width }[side];
  const y = { above: down - BODY - HEIGHT, below: down + BODY, beside: down - HEIGHT / 2, before: down - HEIGHT / 2 }[side];
  return { x, y, width, height: HEIGHT };
}

/** Place each name where there is room, by preference where it was before. Marks on one spot share a name: “luna-bot-1 +1”. */
export function placeNames(marks: Mark[], before: ReadonlyMap<string, Placed>): Map<string, Placed> {
  const placed = new Map<string, Placed>();
  const taken: Box[] = marks.map(({ left, down }) => ({ x: left - BODY, y: down - BODY, width: 2 * BODY, height: 2 * BODY }));
  marks.forEach((mark, index) => {
    const isHere = (other: Mark) => Math.hypot(other.left - mark.left, other.down - mark.down) < TOGETHER;
    if (marks.slice(0, index).some(isHere)) return placed.set(mark.id, null);
    const more = marks.slice(index + 1).filter(isHere).length;
    const text = more ? `${mark.name} +${more}` : mark.name;
    const fits = (side: Side) => {
      const box = boxOf(mark, side, LETTER * text.length);
      return box.x >= 0 && box.x + box.width <= 100 && box.y >= 0 && !taken.some((each) => overlap(box, each));
    };
    const last = before.get(mark.id)?.side;
    const side = last && fits(last) ? last : SIDES.find(fits);
    if (side) taken.push(boxOf(mark, side, LETTER * text.length));
    return placed.set(mark.id, side ? { side, text } : null);
  });
  return placed;
}
