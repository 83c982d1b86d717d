import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "../../testing";

const BOOK = { id: "b1", title: "Dune", author: "Frank Herbert", edition: "1", publisher: "Chilton", version: 1, subjects: [], contributors: [] };

test("who saves second sees the changed fields side by side", async () => {
  let book = BOOK;
  const save = () => {
    book = { ...BOOK, edition: "theirs", version: 2 };
    return refusal(412, "STALE_VERSION", "Changed meanwhile.");
  };
  await show("/catalogue/b1", { "GET /books/b1": () => book, "GET /books/b1/copies": [], "PUT /books/b1": save });
  fireEvent.change(await screen.findByLabelText(/^Edition/), { target: { value: "mine" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.getByRole("row", { name: /Edition/ }).textContent).toMatch(/mine.*theirs/));
  expect(screen.queryByRole("row", { name: /Publisher/ })).toBeNull();
});
