import { ApiProblem } from "@luna/api";
import { renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clearOutbox, sendOrKeep, sendsWrites, sendWaiting, useOutboxSize, type Write } from "./outbox";

const offline = new ApiProblem("NETWORK", "no connection", 0, "");
const refused = new ApiProblem("NOT_FOUND", "not found", 404, "");
let sent: Write[];
let answer: Error | null;

beforeEach(() => {
  clearOutbox();
  sent = [];
  answer = null;
  sendsWrites("read", (write) => {
    if (answer) return Promise.reject(answer);
    sent.push(write);
    return Promise.resolve();
  });
});

test("a write without a connection is sent once there is one, once, in order", async () => {
  answer = offline;
  for (const id of ["n1", "n2", "n1"]) await sendOrKeep({ kind: "read", id });
  await sendWaiting();
  expect(sent).toEqual([]);
  answer = null;
  await Promise.all([sendWaiting(), sendWaiting()]);
  expect(sent.map(({ id }) => id)).toEqual(["n2", "n1"]);
  await sendWaiting();
  expect(sent).toHaveLength(2);
});

/** Web locks of one browser: one holder at a time. */
function locks() {
  let last: Promise<unknown> = Promise.resolve();
  return { request: (_name: string, work: () => Promise<unknown>) => (last = last.then(work)) };
}

afterEach(() => vi.unstubAllGlobals());

test("of two tabs one sends what waits, and both know that nothing waits any more", async () => {
  vi.stubGlobal("navigator", { locks: locks() });
  answer = offline;
  await sendOrKeep({ kind: "read", id: "n1" });
  vi.resetModules();
  const other = await import("./outbox");
  other.sendsWrites("read", (write) => Promise.resolve(void sent.push(write)));
  const shown = renderHook(() => useOutboxSize());
  expect(shown.result.current).toBe(1);
  answer = null;
  await Promise.all([sendWaiting(), other.sendWaiting()]);
  expect(sent.map(({ id }) => id)).toEqual(["n1"]);

  localStorage.setItem("luna.outbox", JSON.stringify([{ kind: "read", id: "n2" }])); // by a third one
  window.dispatchEvent(new StorageEvent("storage", { key: "luna.outbox" }));
  await waitFor(() => expect(shown.result.current).toBe(1));
});

test("a refused write is reported and not kept", async () => {
  answer = refused;
  await expect(sendOrKeep({ kind: "read", id: "n1" })).rejects.toBe(refused);
  answer = null;
  await sendWaiting();
  expect(sent).toEqual([]);
});

test("a waiting write that is refused does not hold up the next", async () => {
  answer = offline;
  await sendOrKeep({ kind: "read", id: "n1" });
  answer = refused;
  await sendWaiting();
  expect(localStorage.getItem("luna.outbox")).toBeNull();
});

test("a write that takes the place of the one that is being sent is sent too", async () => {
  answer = offline;
  await sendOrKeep({ kind: "read", id: "n1", body: "old" });
  sendsWrites("read", async (write) => {
    if (write.body === "old") {
      sendsWrites("read", () => Promise.reject(offline));
      await sendOrKeep({ kind: "read", id: "n1", body: "new" }); // kept while the old one is on its way
      sendsWrites("read", (later) => Promise.resolve(void sent.push(later)));
    }
    sent.push(write);
  });
  await sendWaiting();
  expect(sent.map(({ body }) => body)).toEqual(["old", "new"]);
});
