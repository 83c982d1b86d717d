import { act, renderHook, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { useDrawn } from "./drawn";

afterEach(() => vi.unstubAllGlobals());

/** What is drawn of `first`, then `second`; frames come when `frame` is called. */
function drawings(hasBeenActive: boolean) {
  const frames: FrameRequestCallback[] = [];
  vi.stubGlobal("navigator", { userActivation: { hasBeenActive } });
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => frames.push(callback));
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  const seen: (string | undefined)[] = [];
  const { rerender } = renderHook(({ data }: { data: string }) => void seen.push(useDrawn(data)), { initialProps: { data: "first" } });
  return { seen, rerender, frame: () => act(() => frames.splice(0).forEach((callback) => callback(0))) };
}

test("after a press what has come is drawn once the page around it is on the screen, and so is what follows", async () => {
  const { seen, rerender, frame } = drawings(true);
  expect(seen).toEqual([undefined]);
  frame();
  expect(seen).toEqual([undefined]);
  await waitFor(() => expect(seen).toEqual([undefined, "first"]));
  rerender({ data: "second" });
  expect(seen.slice(2)).toEqual(["first", "second"]);
});

test("a page in the background, which gets no frame, is drawn all the same", async () => {
  const { seen } = drawings(true);
  await waitFor(() => expect(seen).toEqual([undefined, "first"]));
});

test("a first load is drawn at once", () => {
  const { seen, rerender } = drawings(false);
  expect(seen).toEqual(["first"]);
  rerender({ data: "second" });
  expect(new Set(seen.slice(1))).toEqual(new Set(["second"]));
});
