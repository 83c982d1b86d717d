import { act, renderHook, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { useTyped } from "./typing";

function field(value: string) {
  const searched: string[] = [];
  const { result, rerender } = renderHook((props: { value: string }) => useTyped(props.value, (text) => searched.push(text)), { initialProps: { value } });
  const type = (text: string) => act(() => result.current[1](text));
  return { searched, type, shown: () => result.current[0], becomes: (next: string) => rerender({ value: next }) };
}

test("what is typed is shown at once, and searched once per pause", async () => {
  const { searched, type, shown, becomes } = field("");
  for (const text of ["d", "du", "dune "]) type(text);
  expect([shown(), searched]).toEqual(["dune ", []]);
  await waitFor(() => expect(searched).toEqual(["dune"]));
  becomes("dune");
  expect(shown()).toBe("dune "); // the address has it; the space that is being typed stays
});

test("a value that comes late does not take back what is typed since", async () => {
  const { searched, type, shown, becomes } = field("");
  type("du");
  await waitFor(() => expect(searched).toEqual(["du"]));
  type("dune");
  becomes("du");
  expect(shown()).toBe("dune");
});

test("a link that changes the value changes the field", async () => {
  const { searched, type, shown, becomes } = field("");
  type("dune");
  await waitFor(() => expect(searched).toEqual(["dune"]));
  becomes("dune");
  becomes("");
  expect(shown()).toBe("");
});
