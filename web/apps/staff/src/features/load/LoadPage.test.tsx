import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { scan, show, TASK, tasks } from "../../testing";

const waiting = (number: number) => ({ ...TASK, id: `t${number}`, status: "IN_PROGRESS", stage: "LOADING", robot_name: "luna-bot-1", copy_barcode: `LB00000${number}` });

test("ten scans at once are all confirmed, in order", async () => {
  const all = Array.from({ length: 10 }, (_, index) => waiting(index));
  const placed = Object.fromEntries(all.map((task) => [`PUT /deliveries/${task.id}/book-placed`, task]));
  const sent = await show("/load", { "GET /deliveries": tasks(...all), ...placed });
  await screen.findByRole("heading", { name: "To be loaded" });
  for (const task of all) scan(task.copy_barcode);
  await waitFor(() => expect(document.querySelectorAll(".scans .tone-done")).toHaveLength(10));
  expect(sent.filter(({ call }) => call.endsWith("/book-placed")).map(({ call }) => call)).toEqual(Object.keys(placed));
});

test("a robot that has just arrived is found although the list does not have it yet", async () => {
  let all = [waiting(1)];
  await show("/load", { "GET /deliveries": (_: unknown, query: URLSearchParams) => tasks(...all)(_, query), "PUT /deliveries/t2/book-placed": waiting(2) });
  await screen.findByRole("heading", { name: "To be loaded" });
  all = [waiting(1), waiting(2)];
  scan("LB000002");
  await waitFor(() => expect(document.querySelectorAll(".scans .tone-done")).toHaveLength(1));
});

test("a copy that no robot waits for says where it is", async () => {
  await show("/load", { "GET /deliveries": tasks(waiting(1)), "GET /copies/LB000009": { book_title: "Emma", place: null, copy: { custody: "ON_SHELF" } } });
  await screen.findByRole("heading", { name: "To be loaded" });
  scan("LB000009");
  expect(await screen.findByText(/Emma: no robot at a desk waits for this copy. It is here: On its shelf/)).toBeDefined();
});
