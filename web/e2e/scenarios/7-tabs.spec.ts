import { expect, OTHER, signIn, test } from "../fixtures";
import { call, copyOf, newStudent, requested } from "../system";

test("a lost answer and a second press make one request", async ({ open, ignoring }) => {
  ignoring(/ERR_FAILED|ERR_CONNECTION/);
  const page = await open(await newStudent("Noor", "Haddad"), "/?q=Frankenstein&available=true");
  await page.locator(".book-card a").first().click();
  await page.getByRole("link", { name: "Have it brought to me" }).click();
  await page.getByRole("radio", { name: /Study Room 102/ }).check({ force: true });
  const keys: (string | null)[] = [];
  await page.route("**/api/v1/requests", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.push(await route.request().headerValue("idempotency-key"));
    if (keys.length > 1) return route.continue();
    await route.fetch(); // it reaches LUNA, its answer does not come back
    return route.abort("failed");
  });
  const confirm = page.getByRole("button", { name: "Request the book" });
  await confirm.click();
  await expect(page.getByRole("alert")).toContainText("LUNA cannot be reached");
  await confirm.click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  expect(new Set(keys).size).toBe(1);
  await page.getByText(/^Delivery /).waitFor(); // the tracking page is shown
  const title = await page.getByRole("heading", { level: 1 }).innerText();
  await page.getByRole("link", { name: "Requests" }).click();
  await expect(page.locator("section", { has: page.getByRole("heading", { name: "Under way" }) }).getByRole("link", { name: title })).toHaveCount(1);
  await page.getByRole("link", { name: title }).first().click();
  await page.getByRole("button", { name: "Cancel this request" }).click();
  await page.getByRole("button", { name: "Yes, cancel it" }).click();
  await expect(page.getByText("This request was cancelled.")).toBeVisible();
});

test("an expired token is renewed unseen; signing out in one tab signs out the other", async ({ newContext, ignoring }) => {
  ignoring(/status of 401/); // the answer played below
  const context = await newContext();
  const first = await context.newPage();
  await signIn(first, OTHER, "/loans");
  const second = await context.newPage();
  await second.goto("/requests");
  await expect(second.getByRole("heading", { name: "Your requests" })).toBeVisible(); // no second sign-in
  let expired = 0;
  let renewed = 0;
  await second.route("**/api/v1/loans?*", (route) => {
    if (expired++) return route.continue();
    const error = { code: "TOKEN_EXPIRED", message: "The access token has expired." };
    return route.fulfill({ status: 401, contentType: "application/json", body: JSON.stringify({ success: false, error, meta: { request_id: "req_test" } }) });
  });
  second.on("request", (request) => request.url().endsWith("/auth/refresh") && (renewed += 1));
  await second.getByRole("link", { name: "Loans" }).click();
  await expect(second.getByRole("heading", { name: "Your loans" })).toBeVisible();
  await expect(second.locator(".skeleton")).toHaveCount(0);
  await expect.poll(() => expired).toBeGreaterThan(1); // it was sent again, and the live view reads it too
  expect(renewed).toBe(1);
  await first.getByRole("link", { name: "Profile" }).click();
  await first.getByRole("button", { name: "Sign out", exact: true }).last().click();
  await expect(second.getByRole("button", { name: "Sign in" })).toBeVisible();
});

test("all tabs show the same number of unread messages", async ({ newContext }) => {
  const person = await newStudent("Noor", "Haddad");
  const { bookId } = await copyOf("Thinking, Fast and Slow");
  const context = await newContext();
  const [first, second] = [await context.newPage(), await context.newPage()];
  await signIn(first, person, "/notifications");
  await second.goto("/loans");
  for (const page of [first, second]) await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const { id } = await requested(person, bookId, "Study Room 101");
  await call(person, "PUT", `/requests/${id}/cancel`, {});
  const unread = async (page: typeof first) => Number(await page.locator(".count").textContent({ timeout: 1000 }).catch(() => "0"));
  await expect.poll(() => unread(first)).toBeGreaterThan(0);
  await expect.poll(async () => (await unread(second)) === (await unread(first))).toBe(true);
  await first.locator(".mark").first().waitFor();
  const markAll = first.getByRole("button", { name: "Mark all as read" });
  await expect(async () => {
    if (await markAll.isVisible()) await markAll.click(); // once more for a message that came after it
    for (const page of [first, second]) await expect(page.locator(".count")).toHaveCount(0, { timeout: 3000 });
  }).toPass({ timeout: 30_000 });
});
