import { renderHook } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { useDrawn } from "./drawn";

afterEach(() => vi.unstubAllGlobals());

function drawings(hasBeenActive: boolean): (string | undefined)[] {
  vi.stubGlobal("navigator", { userActivation: { hasBeenActive } });
  const seen: (string | undefined)[] = [];
  const { rerender } = renderHook(({ data }: { data: string }) => void seen.push(useDrawn(data)), { initialProps: { data: "first" } });
  rerender({ data: "second" });
  return seen;
}

test("after a press what has come is drawn after the page around it, and so is what follows", () => {
  expect(drawings(true)).toEqual([undefined, "first", "first", "second"]);
});

test("a first load is drawn at once", () => {
  expect(drawings(false)).toEqual(["first", "first", "second"]);
});
