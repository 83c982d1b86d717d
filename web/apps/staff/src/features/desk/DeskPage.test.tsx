import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, scan, show } from "../../testing";

const MEMBER = { id: "m1", email: "mira@luna.example", first_name: "Mira", last_name: "Lund", role: "STUDENT", open_loans: 0 };

test("a scan belongs to who was served when it was scanned", async () => {
  let answer: (loan: object) => void = () => undefined;
  const loan = { id: "l1", book_title: "Dune", due_at: "2030-01-01T10:00:00Z" };
  const sent = await show("/desk?q=mira&member=m1", { "GET /auth/members": [MEMBER], "GET /loans": [], "POST /loans": () => new Promise((resolve) => (answer = resolve)) });
  await screen.findByText("Scans are lent to Mira Lund.");
  scan("LB000001");
  scan("LB000002");
  await waitFor(() => expect(sent.filter(({ call }) => call === "POST /loans")).toHaveLength(1));
  fireEvent.click(screen.getByRole("button", { name: "Done" }));
  await screen.findByText(/Scans are received/);
  answer(loan);
  await waitFor(() => expect(sent.filter(({ call }) => call === "POST /loans").at(-1)?.body).toMatchObject({ user_id: "m1", copy_barcode: "LB000002" }));
  expect(sent.some(({ call }) => call === "POST /loans/check-in")).toBe(false);
});

test("a refusal lists all reasons", async () => {
  const reasons = [{ code: "LIMIT", message: "The limit of loans is reached." }, { code: "FEES", message: "The account is blocked." }];
  await show("/desk?q=mira&member=m1", { "GET /auth/members": [MEMBER], "GET /loans": [], "POST /loans": refusal(409, "LOAN_REFUSED", "Refused.", { reasons }) });
  await screen.findByText("Scans are lent to Mira Lund.");
  scan("LB000001");
  expect(await screen.findByText(/The limit of loans is reached\. The account is blocked\./)).toBeDefined();
});

test("while the member of the address is not known, a scan neither lends nor receives", async () => {
  const sent = await show("/desk?q=mira&member=m1", { "GET /auth/members": () => new Promise(() => undefined) });
  await screen.findByText(/^The member is not known yet/);
  scan("LB000001");
  await waitFor(() => expect(document.querySelectorAll(".scans .tone-fail")).toHaveLength(1));
  expect(sent.some(({ call }) => call.startsWith("POST /loans"))).toBe(false);
});
