import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, scan, show } from "../../testing";

const line = (number: number) => ({
  task_id: `t${number}`, reference: `D-${number}`, priority: "NORMAL", status: "QUEUED", stage: null, book_title: `Title ${number}`, author: "Ada Example", copy_barcode: `LB00000${number}`,
  shelf_location: "A1", call_number: null, bring_to: "Circulation Desk", floor: 1, sequence: number, batch: 1, claimed_by: null, robot_name: null, created_at: "2026-01-01T10:00:00Z", version: 1,
});

test("the server's order is kept, a scan ticks its line and a wrong barcode is named", async () => {
  localStorage.clear();
  await show("/pick-list", { "GET /deliveries/pick-list": [line(2), line(1)] });
  await screen.findAllByText("Title 2");
  expect([...document.querySelectorAll(".pick strong")].map((each) => each.textContent)).toEqual(["Title 2", "Title 1"]);
  scan("LB000001");
  await waitFor(() => expect(document.querySelector(".picked")?.textContent).toContain("Title 1"));
  scan("LB999999");
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("LB999999 is not on this list"));
  await show("/pick-list", { "GET /deliveries/pick-list": [line(2), line(1)] }); // ticks survive a reload
  await waitFor(() => expect(document.querySelector(".picked")?.textContent).toContain("Title 1"));
});

test("what became of the last line stays to be read when the list is empty", async () => {
  let lines = [line(1)];
  const missing = () => {
    lines = [];
    return { status: "CANCELLED", copy_barcode: "LB000001" };
  };
  await show("/pick-list", { "GET /deliveries/pick-list": () => lines, "PUT /deliveries/pick-list/t1/not-found": missing });
  fireEvent.click(await screen.findByRole("button", { name: /Not on its shelf/ }));
  expect(await screen.findByText("Nothing to fetch")).toBeDefined();
  expect(screen.getByRole("alert").textContent).toContain("there is no other copy");
});

const stale = refusal(412, "STALE_VERSION", "Changed.");

test("a copy is reported missing also where its robot has set out meanwhile; not another copy", async () => {
  const answers = [stale, { status: "CANCELLED", copy_barcode: "LB000001" }];
  let lines = [line(1)];
  const sent = await show("/pick-list", { "GET /deliveries/pick-list": () => lines, "PUT /deliveries/pick-list/t1/not-found": () => answers.shift() });
  const button = await screen.findByRole("button", { name: /Not on its shelf/ });
  lines = [{ ...line(1), version: 2 }];
  fireEvent.click(button);
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("there is no other copy"));
  const tags = () => sent.filter(({ call }) => call.endsWith("/not-found")).map(({ headers }) => headers.get("If-Match"));
  expect(tags()).toEqual(['"1"', '"2"']);

  answers.push(stale);
  lines = [{ ...line(1), copy_barcode: "LB000002", version: 3 }];
  fireEvent.click(screen.getByRole("button", { name: /Not on its shelf/ }));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("Changed."));
  expect(tags()).toEqual(['"1"', '"2"', '"2"']);
});
