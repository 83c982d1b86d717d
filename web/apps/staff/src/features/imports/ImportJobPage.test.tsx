import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const JOB = { id: "j1", state: "RUNNING", file_name: "books.csv", format: "csv", dry_run: false, undone_at: null, problem: null, processed: 40, total: 100, created: 40, updated: 0, unchanged: 0, failed: 0, warnings: 0, created_at: "2026-01-01T10:00:00Z" };

test("a running import may be left and shows how far it is", async () => {
  await show("/imports/j1", { "GET /books/bulk-import/j1": JOB, "GET /books/bulk-import/j1/rows": [] });
  expect((await screen.findByText(/40 of 100/)).textContent).toMatch(/close|leave/i);
  expect(screen.queryByRole("button", { name: "Undo the import" })).toBeNull();
});
