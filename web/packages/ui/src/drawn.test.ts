import { act, fireEvent, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

let useDrawn: (typeof import("./drawn"))["useDrawn"];

beforeEach(async () => {
  vi.resetModules(); // a page that has just been loaded
  ({ useDrawn } = await import("./drawn"));
});
afterEach(() => vi.unstubAllGlobals());

/** What is drawn of `first`, then `second`; frames come when `frame` is called. */
function drawings(press?: "pointerDown" | "keyDown") {
  const frames: FrameRequestCallback[] = [];
  if (press) fireEvent[press](document.body);
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => frames.push(callback));
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  const seen: (string | undefined)[] = [];
  const { rerender } = renderHook(({ data }: { data: string }) => void seen.push(useDrawn(data)), { initialProps: { data: "first" } });
  return { seen, rerender, frame: () => act(() => frames.splice(0).forEach((callback) => callback(0))) };
}

test.each(["pointerDown", "keyDown"] as const)("after a press (%s) what has come is drawn once the page around it is on the screen, and so is what follows", async (press) => {
  const { seen, rerender, frame } = drawings(press);
  expect(seen).toEqual([undefined]);
  frame();
  expect(seen).toEqual([undefined]);
  await waitFor(() => expect(seen).toEqual([undefined, "first"]));
  rerender({ data: "second" });
  expect(seen.slice(2)).toEqual(["first", "second"]);
});

test("a page in the background, which gets no frame, is drawn all the same", async () => {
  const { seen } = drawings("pointerDown");
  await waitFor(() => expect(seen).toEqual([undefined, "first"]));
});

test("a first load is drawn at once", () => {
  const { seen, rerender } = drawings();
  expect(seen).toEqual(["first"]);
  rerender({ data: "second" });
  expect(new Set(seen.slice(1))).toEqual(new Set(["second"]));
});
