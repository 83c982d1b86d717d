import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { may, refusal, show, TASK, tasks } from "../../testing";

test("the claim that loses names the winner", async () => {
  const detail = { ...TASK, history: [], actions: [may("CLAIM")] };
  await show("/?task=t1", { "GET /deliveries": tasks(TASK), "GET /deliveries/t1": detail, "PUT /deliveries/t1/claim": refusal(409, "ALREADY_CLAIMED", "Jonas Lindqvist prepares it.") });
  fireEvent.click(await screen.findByRole("button", { name: "I prepare it" }));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("Jonas Lindqvist prepares it."));
});

test("a delivery is in the lane of its stage, and one that failed needs a person", async () => {
  await show("/", { "GET /deliveries": tasks(TASK, { ...TASK, id: "t2", reference: "D-2", status: "FAILED" }, { ...TASK, id: "t3", reference: "D-3", status: "IN_PROGRESS", stage: "LOADING" }) });
  await screen.findByText("D-1");
  const laneOf = (reference: string) => screen.getByText(reference).closest(".lane")?.className;
  expect(["D-1", "D-2", "D-3"].map(laneOf)).toEqual(["lane waiting", "lane attention", "lane loading"]);
});

test("a delivery that moves on while the lists are read is shown once, as it was read last", async () => {
  await show("/", { "GET /deliveries": tasks({ ...TASK, status: "ASSIGNED", version: 2 }, TASK) });
  const card = await screen.findByText("D-1"); // fails if there are two
  expect(card.closest(".lane")?.className).toBe("lane coming");
});
