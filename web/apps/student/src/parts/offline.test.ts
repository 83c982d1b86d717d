import type { User } from "@luna/api";
import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";
import { clearOffline, keepOffline, offlineUser, restoreOffline } from "./offline";

const USER = { id: "u1", first_name: "Elif" } as User;
const HOUR = 3_600_000;

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers({ now: new Date("2026-03-01T12:00:00Z") });
});

function stored(): void {
  const client = new QueryClient();
  const end = keepOffline(client, () => USER);
  client.setQueryData(["loans"], [{ id: "l1" }]);
  client.setQueryData(["search", "dune"], [{ id: "b1" }]);
  vi.advanceTimersByTime(1000);
  end();
}

test("loans are restored with the moment they were fetched, other data is not kept", () => {
  stored();
  const at = Date.now() - 1000;
  vi.advanceTimersByTime(HOUR);
  const client = new QueryClient();
  expect(offlineUser()).toEqual(USER);
  restoreOffline(client, "u1");
  expect(client.getQueryData(["loans"])).toEqual([{ id: "l1" }]);
  expect(client.getQueryState(["loans"])?.dataUpdatedAt).toBe(at);
  expect(client.getQueryData(["search", "dune"])).toBeUndefined();
});

test("another user sees nothing of it, and it is deleted", () => {
  stored();
  const client = new QueryClient();
  restoreOffline(client, "u2");
  expect(client.getQueryData(["loans"])).toBeUndefined();
  expect(offlineUser()).toBeNull();
});

test("after 24 hours it is not shown any more", () => {
  stored();
  vi.advanceTimersByTime(24 * HOUR);
  expect(offlineUser()).toBeNull();
});

test("signing out deletes it", () => {
  stored();
  clearOffline();
  expect(offlineUser()).toBeNull();
});
