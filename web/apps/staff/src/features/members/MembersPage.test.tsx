import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const MEMBER = { id: "m1", email: "mira@luna.example", first_name: "Mira", last_name: "Lund", role: "STUDENT", open_loans: 1 };
const LOAN = { id: "l1", book_id: "b1", book_title: "Dune", barcode: "LB1", due_at: "2020-01-01T10:00:00Z", overdue: true, returned_at: null };

test("a member's record shows open loans and leaves out what was returned", async () => {
  const loans = [LOAN, { ...LOAN, id: "l2", book_title: "Emma", returned_at: "2020-01-01T10:00:00Z" }];
  await show("/members", { "GET /auth/members": [MEMBER], "GET /loans": loans, "GET /requests": [] });
  fireEvent.click(await screen.findByRole("button", { name: "Mira Lund" }));
  await waitFor(() => expect(screen.getByText("Dune")).toBeDefined());
  expect(screen.queryByText("Emma")).toBeNull();
});
