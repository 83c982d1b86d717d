import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { scan, show } from "../../testing";

const line = (number: number) => ({
  task_id: `t${number}`, reference: `D-${number}`, priority: "NORMAL", status: "QUEUED", stage: null, book_title: `Title ${number}`, author: "Ada Example", copy_barcode: `LB00000${number}`,
  shelf_location: "A1", call_number: null, bring_to: "Circulation Desk", floor: 1, sequence: number, batch: 1, claimed_by: null, robot_name: null, created_at: "2026-01-01T10:00:00Z",
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
