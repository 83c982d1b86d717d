import { COLLEAGUE, DESK, expect, LIBRARIAN, openCard, test } from "../fixtures";
import { promptly } from "../speed/machine";
import { call, copyOf, newStudent, requested } from "../system";

const VISIBLE = 2000; // ms in which a new request is on the board

test("a new request is on the board within 2 s; of two claims at once one wins, and both see whose it is", async ({ open, ignoring }) => {
  ignoring(/status of 409/); // of the claim that loses
  const student = await newStudent("Noor", "Haddad");
  const { bookId } = await copyOf("Cosmos");
  const first = await open(LIBRARIAN, "/staff/", { viewport: DESK });
  const second = await open(COLLEAGUE, "/staff/", { viewport: DESK });
  for (const page of [first, second]) await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const { id, task } = await requested(student, bookId, "Study Room 101");
  await promptly(VISIBLE, () => Promise.all([first, second].map((page) => page.locator(".task-card", { hasText: task.reference }).waitFor())));
  const claim = [first, second].map((page) => page.getByRole("dialog").getByRole("button", { name: "I prepare it" }));
  for (const page of [first, second]) await openCard(page, page.locator(".task-card", { hasText: task.reference }));
  for (const button of claim) await button.waitFor();
  const together = meeting(2);
  for (const page of [first, second])
    await page.route(`**/deliveries/${task.id}/claim`, async (route) => {
      await together(); // both are sent before one is answered
      await route.continue();
    });
  const answers = [first, second].map((page) => page.waitForResponse((response) => response.url().endsWith(`/deliveries/${task.id}/claim`)));
  await Promise.all(claim.map((button) => button.click()));
  const statuses = (await Promise.all(answers)).map((response) => response.status());
  expect(statuses.toSorted()).toEqual([200, 409]);
  const winner = statuses[0] === 200 ? "Ruth Okafor" : "Jonas Lindqvist";
  for (const page of [first, second]) await expect(page.getByRole("dialog").locator("dd", { hasText: winner })).toBeVisible();
  const loser = statuses[0] === 409 ? first : second;
  await expect(loser.getByRole("dialog").getByRole("alert")).toContainText(winner);
  await call(student, "PUT", `/requests/${id}/cancel`, {});
});

/** Return what waits until it was called so many times. */
function meeting(count: number): () => Promise<void> {
  let missing = count;
  let open = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    missing -= 1;
    if (missing === 0) open();
    return all;
  };
}
