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

test("of a long lane what a screen shows is drawn first, the rest follows", async () => {
  const followed: Node[] = [];
  const observer = new MutationObserver((records) => followed.push(...records.flatMap(({ addedNodes }) => [...addedNodes].filter((node) => (node as Element).className === "task-card"))));
  observer.observe(document, { childList: true, subtree: true });
  await show("/", { "GET /deliveries": tasks(...Array.from({ length: 30 }, (_, index) => ({ ...TASK, id: `t${index}`, reference: `D-${index}` }))) });
  await screen.findByText("D-29");
  expect(document.querySelectorAll(".task-card")).toHaveLength(30);
  await waitFor(() => expect(followed).toHaveLength(18));
  observer.disconnect();
});

test("a delivery that moves on while the lists are read is shown once, as it was read last", async () => {
  await show("/", { "GET /deliveries": tasks({ ...TASK, status: "ASSIGNED", version: 2 }, TASK) });
  const card = await screen.findByText("D-1"); // fails if there are two
  expect(card.closest(".lane")?.className).toBe("lane coming");
});

test("the filter keeps what is typed while the address follows", async () => {
  await show("/", { "GET /deliveries": tasks(TASK, { ...TASK, id: "t2", reference: "D-2" }) });
  await screen.findByText("D-1");
  const filter = screen.getByRole<HTMLInputElement>("searchbox");
  fireEvent.change(filter, { target: { value: "D-2" } });
  expect(filter.value).toBe("D-2");
  await waitFor(() => expect(screen.queryByText("D-1")).toBeNull());
  expect(location.search).toContain("q=D-2");
});

const tagged = (data: object, version: number) => Response.json({ success: true, data: { ...data, version } }, { headers: { ETag: `"${version}"` } });

test("a step carries the version that is shown; where the delivery has moved on, the dialog says so and shows it", async () => {
  let robot_name: string | null = null;
  let version = 1;
  const sent = await show("/?task=t1", { "GET /deliveries": tasks(TASK), "GET /deliveries/t1": () => tagged({ ...TASK, robot_name, history: [], actions: [may("FAIL")] }, version), "PUT /deliveries/t1/fail": refusal(412, "STALE_VERSION", "Changed.") });
  fireEvent.click(await screen.findByRole("button", { name: "Give up" }));
  fireEvent.change(screen.getByLabelText(/^Reason/), { target: { value: "Torn" } });
  [robot_name, version] = ["luna-bot-7", 2];
  fireEvent.submit(screen.getByLabelText(/^Reason/).closest("form") as HTMLFormElement);
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("This has changed meanwhile."));
  expect(await screen.findByText("luna-bot-7")).toBeDefined();
  expect(screen.getByLabelText<HTMLInputElement>(/^Reason/).value).toBe("Torn");
  expect(sent.filter(({ call }) => call.endsWith("/fail")).map(({ headers }) => headers.get("If-Match"))).toEqual(['"1"']);
});

test("a claim carries no version: the server names who has the delivery", async () => {
  const detail = tagged({ ...TASK, history: [], actions: [may("CLAIM")] }, 1);
  const sent = await show("/?task=t1", { "GET /deliveries": tasks(TASK), "GET /deliveries/t1": () => detail, "PUT /deliveries/t1/claim": refusal(409, "ALREADY_CLAIMED", "Jonas Lindqvist has already taken this.") });
  fireEvent.click(await screen.findByRole("button", { name: "I prepare it" }));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("Jonas Lindqvist has already taken this."));
  expect(sent.filter(({ call }) => call.endsWith("/claim")).map(({ headers }) => headers.get("If-Match"))).toEqual([null]);
});
