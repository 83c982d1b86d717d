import { expect, test, vi } from "vitest";
import { formatDays, momentOf, setTimeZone } from "./formats";

test.each([
  ["Europe/Berlin", "2026-01-15", "00:00:00", "2026-01-14T23:00:00.000Z"],
  ["Europe/Berlin", "2026-07-15", "23:59:59", "2026-07-15T21:59:59.000Z"],
  ["Europe/Berlin", "2026-03-29", "12:00:00", "2026-03-29T10:00:00.000Z"],
  ["America/New_York", "2026-11-01", "00:00:00", "2026-11-01T04:00:00.000Z"],
])("in %s %s %s is %s", (zone, day, time, moment) => {
  setTimeZone(zone);
  expect(momentOf(day, time)).toBe(moment);
});

test("a loan that is due tonight is due today, whatever the hour and the browser's time zone", () => {
  setTimeZone("Asia/Tokyo");
  vi.useFakeTimers({ now: new Date("2026-03-01T01:00:00Z") }); // 10:00 in Tokyo
  expect(formatDays("2026-03-01T14:59:00Z")).toBe("today"); // 23:59
  expect(formatDays("2026-03-01T15:01:00Z")).toBe("tomorrow");
  expect(formatDays("2026-02-28T14:59:00Z")).toBe("yesterday");
  vi.useRealTimers();
});
