import { showApplication, type Answers, type Sent } from "@luna/ui/testing";
import english from "@luna/i18n/staff.en.json";
import german from "@luna/i18n/staff.de.json";
import { makeRouter } from "./routes";

export { refusal, type Sent } from "@luna/ui/testing";

const texts = { en: () => Promise.resolve(english), de: () => Promise.resolve(german) };

/** Show the dashboard at an address to a librarian, or to somebody else. */
export function show(path: string, answers: Answers, user: object | null = {}): Promise<Sent[]> {
  const librarian = user && { role: "LIBRARIAN" as const, first_name: "Ruth", last_name: "Okafor", ...user };
  return showApplication({ makeRouter, texts, path: `/staff${path}`, answers: { "GET /robot/status": [], ...answers }, user: librarian });
}

/** Type a code as a hand scanner does. */
export function scan(code: string): void {
  for (const key of [...code, "Enter"]) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

export const may = (name: string) => ({ name, allowed: true, reasons: [] });
export const TASK = {
  id: "t1", reference: "D-1", task_type: "STUDENT_DELIVERY", status: "QUEUED", stage: null, priority: "NORMAL", request_id: "r1", return_id: null, book_id: "b1", book_title: "Dune",
  copy_id: "c1", copy_barcode: "LB000001", source_location: "Circulation Desk", destination_location: "Study Room 201", assigned_robot_id: null, robot_name: null, waiting_reason: null,
  eta: null, attempt: 1, failure_reason: null, book_location: null, requester: null, claimed_by: null, notes: null, version: 1, created_at: "2026-01-01T10:00:00Z",
};

/** Tasks by their status, as the list answers them. */
export function tasks(...all: object[]) {
  return (_: unknown, query: URLSearchParams) => all.filter((task) => "status" in task && task.status === query.get("status"));
}
