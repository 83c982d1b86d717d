import { expect, test } from "vitest";
import { placeNames, type Placed } from "./names";

const NONE = new Map<string, Placed>();
const mark = (id: string, left: number, down: number) => ({ id, name: `luna-bot-${id}`, left, down });

test("a robot alone has its name above it", () => {
  expect(placeNames([mark("1", 50, 30)], NONE).get("1")).toEqual({ side: "above", text: "luna-bot-1" });
});

test("robots docked in a row have their names around them, none upon another", () => {
  const found = placeNames([mark("1", 7, 20), mark("2", 7, 23), mark("3", 7, 26)], NONE);
  expect([...found.values()].map((each) => each?.side)).toEqual(["above", "beside", "beside"]);
});

test("robots on one spot share a name that says how many there are", () => {
  const found = placeNames([mark("1", 50, 30), mark("2", 50.2, 30)], NONE);
  expect(found.get("1")?.text).toBe("luna-bot-1 +1");
  expect(found.get("2")).toBeNull();
});

test("a name keeps its side while there is room, and is left out where there is none", () => {
  const before = new Map<string, Placed>([["1", { side: "below", text: "luna-bot-1" }]]);
  expect(placeNames([mark("1", 50, 30)], before).get("1")?.side).toBe("below");
  const crowd = Array.from({ length: 30 }, (_, index) => mark(String(index), 50 + 2 * (index % 6), 30 + 2 * Math.floor(index / 6)));
  expect([...placeNames(crowd, NONE).values()]).toContain(null);
});
