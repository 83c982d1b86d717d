import { expect, test } from "vitest";
import { momentOf, setTimeZone } from "./formats";

test.each([
  ["Europe/Berlin", "2026-01-15", "00:00:00", "2026-01-14T23:00:00.000Z"],
  ["Europe/Berlin", "2026-07-15", "23:59:59", "2026-07-15T21:59:59.000Z"],
  ["Europe/Berlin", "2026-03-29", "12:00:00", "2026-03-29T10:00:00.000Z"],
  ["America/New_York", "2026-11-01", "00:00:00", "2026-11-01T04:00:00.000Z"],
])("in %s %s %s is %s", (zone, day, time, moment) => {
  setTimeZone(zone);
  expect(momentOf(day, time)).toBe(moment);
});
