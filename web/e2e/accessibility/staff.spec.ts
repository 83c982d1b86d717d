import { ADMIN, DESK, expect, LIBRARIAN, openCard, scan, test } from "../fixtures";
import { call, copyOf, newStudent, requested } from "../system";
import { check, focusStaysVisible, go } from "./axe";

const FILE = ["title,author,isbn,publication_year", "A Checked Book,Ada Example,9780306406157,1999", "No Author,,,2001"].join("\n");

test("today, pick list, loading, robots, alerts and figures", async ({ open, ignoring }) => {
  ignoring(/status of 404/); // the scan of a code that no copy has
  test.setTimeout(600_000);
  const person = await newStudent("Mira", "Lund");
  const { bookId, title } = await copyOf("Deep Learning");
  const { id, task } = await requested(person, bookId, "Study Room 201");
  await call(person, "POST", `/requests/${id}/problems`, { kind: "OTHER", text: "Please look at this" }); // an alert
  const page = await open(LIBRARIAN, "/staff/", { viewport: DESK });
  const card = page.locator(".task-card", { hasText: task.reference });
  await check(page, "today", card);
  await openCard(page, card);
  const dialog = page.getByRole("dialog");
  await dialog.getByText("History").click();
  await dialog.getByRole("button", { name: "Cancel the delivery" }).click();
  await check(page, "delivery", dialog.getByLabel("Where is the book? (optional)"));
  await page.keyboard.press("Escape");
  await go(page, "Pick list");
  await check(page, "pick list", page.locator(".pick"));
  await go(page, "Load and receive");
  await page.locator(".columns li").first().waitFor({ timeout: 60_000 });
  await scan(page, "LB-000000");
  await check(page, "load and receive", page.locator(".scans .tone-fail"));
  await go(page, "Robots");
  await page.locator(".robot-row").first().click();
  await page.getByText("Close a way …").click();
  await page.getByRole("combobox", { name: "Way" }).selectOption({ index: 1 });
  await check(page, "robots", page.getByRole("heading", { name: "Last errors" }));
  await page.emulateMedia({ reducedMotion: "reduce" });
  await expect(page.locator(".map .robot").first()).toHaveCSS("transition-duration", "0s"); // robots jump
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await go(page, "Alerts");
  const resolve = page.getByRole("button", { name: "Resolve …" }).first();
  await resolve.click();
  await check(page, "alerts", page.getByLabel("What was done (optional)"));
  await page.getByRole("button", { name: "Resolved", exact: true }).click();
  await check(page, "resolved alerts");
  await go(page, "Figures");
  await check(page, "figures", page.locator("table"));
  await page.goto("/staff/figures?from=2001-01-01&to=2001-01-02");
  await check(page, "no figures", page.locator(".state"));
  await page.goto("/staff/nowhere");
  await check(page, "not found", page.locator(".state"));
  await call(person, "PUT", `/requests/${id}/cancel`, {});
  expect(title).toBeTruthy();
});

test("catalogue, import, desk and members", async ({ open, ignoring }) => {
  test.setTimeout(600_000);
  ignoring(/status of (?:404|409|412)/);
  const person = await newStudent("Mira", "Lund");
  const page = await open(LIBRARIAN, "/staff/catalogue", { viewport: DESK });
  await check(page, "catalogue", page.locator("tbody tr"));
  await focusStaysVisible(page, [...Array<string>(50).fill("Tab"), ...Array<string>(20).fill("Shift+Tab")]);
  await page.getByRole("link", { name: "Add a title" }).click();
  await check(page, "new title", page.locator("form"));
  const { bookId, barcode } = await copyOf("Postwar");
  await page.goto(`/staff/catalogue/${bookId}`);
  await check(page, "title", page.locator("tbody tr"));
  await call(LIBRARIAN, "PUT", `/books/${bookId}`, { edition: `${Date.now()}` });
  await page.getByLabel("Edition").fill("mine");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await check(page, "conflict", page.locator(".conflict"));
  await page.goto(`/staff/catalogue/${bookId}`);
  await page.getByRole("button", { name: barcode }).click();
  await check(page, "copy", page.getByRole("dialog").locator(".facts"));
  await page.keyboard.press("Escape");
  await page.getByText("Merge into another title …").click();
  await check(page, "merge", page.locator("details .rows, details"));
  await go(page, "Lists");
  for (const name of ["Hold shelf", "High demand", "Never borrowed", "Missing", "Overdue"]) await page.getByRole("button", { name, exact: true }).click();
  await check(page, "lists", page.locator("table, .state"));
  await go(page, "Import");
  await check(page, "import", page.locator(".drop"));
  await page.locator("input[type=file]").setInputFiles({ name: "books.csv", mimeType: "text/csv", buffer: Buffer.from(FILE) });
  await page.getByRole("button", { name: "Check the file" }).click();
  await page.getByRole("heading", { name: "books.csv" }).waitFor(); // the list before it shows other imports that are done
  await page.getByText("Done", { exact: true }).waitFor({ timeout: 60_000 });
  await check(page, "report of an import", page.locator("tbody tr"));
  await page.goto(`/staff/desk?q=${person.email}`);
  await check(page, "desk, found", page.getByRole("button", { name: "Lend Mira Lund" }));
  await page.getByRole("button", { name: "Lend Mira Lund" }).click();
  await scan(page, barcode);
  await scan(page, "LB-000000");
  await page.locator(".rows li").first().waitFor();
  await check(page, "desk, lending", page.locator(".scans .tone-fail"));
  await page.goto(`/staff/members?q=${person.email}`);
  await page.locator("tbody .link-button").first().click();
  await check(page, "member", page.getByRole("dialog").locator(".rows li"));
  await page.keyboard.press("Escape");
  await check(page, "members", page.locator("tbody tr"));
  await call(LIBRARIAN, "POST", "/loans/check-in", { copy_barcode: barcode });
});

test("accounts, fleet and audit log", async ({ open }) => {
  test.setTimeout(600_000);
  const person = await newStudent("Mira", "Lund");
  const page = await open(ADMIN, "/staff/accounts", { viewport: DESK });
  const dialog = page.getByRole("dialog");
  await check(page, "accounts", page.locator("tbody tr"));
  await page.getByRole("button", { name: "Add an account" }).click();
  await check(page, "new account", dialog);
  await page.goto(`/staff/accounts?q=${person.email}`);
  await page.locator("tbody .link-button").first().click();
  await dialog.getByRole("button", { name: "Erase …" }).click();
  await check(page, "account", dialog.getByRole("button", { name: "Erase for good" }));
  await page.keyboard.press("Escape");
  await go(page, "Fleet");
  await check(page, "fleet", page.locator("tbody tr"));
  await page.getByRole("button", { name: "Register a robot" }).click();
  await check(page, "new robot", dialog);
  await dialog.getByLabel(/^Name/).fill(`axe-${Date.now()}`);
  await dialog.getByRole("button", { name: "Register a robot" }).click();
  await dialog.getByRole("button", { name: "New key" }).click();
  await dialog.getByRole("button", { name: "Retire …" }).click();
  await check(page, "robot, with its key", dialog.locator(".secret"));
  await dialog.getByRole("button", { name: "Retire the robot" }).click();
  await expect(dialog).toBeHidden();
  await go(page, "Audit log");
  await check(page, "audit log", page.locator("tbody tr"));
  await page.goto("/staff/audit?action=no.such");
  await check(page, "empty audit log", page.locator(".state"));
});

test("what a student sees of the dashboard, and its sign-in", async ({ open, visit, ignoring }) => {
  ignoring(/status of 403/);
  const page = await open(await newStudent("Mira", "Lund"), "/loans");
  await page.goto("/staff/");
  await check(page, "forbidden", page.getByRole("heading", { name: "This is not open to you" }));
  const visitor = await visit("/staff/");
  await check(visitor, "sign-in", visitor.getByRole("button", { name: "Sign in" }));
});

test("no text is cut off or untranslated in the pseudo-locale, at 360 px", async ({ open, visit }) => {
  const visitor = await visit("/sign-in?lang=pseudo");
  await expect(visitor.getByRole("heading", { level: 1 })).toHaveText(/^\[.*·\]$/);
  const page = await open(await newStudent("Mira", "Lund"), "/");
  for (const path of ["/", "/requests", "/loans", "/holds", "/notifications", "/profile"]) {
    await page.goto(`${path}?lang=pseudo`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^\[.*·\]$/);
    await expect(page.locator(".skeleton")).toHaveCount(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), path).toBeLessThanOrEqual(0);
  }
  const staff = await open(ADMIN, "/staff/");
  for (const path of ["", "pick-list", "load", "map", "alerts", "catalogue", "imports", "desk", "members", "lists", "figures", "accounts", "fleet", "audit"]) {
    await staff.goto(`/staff/${path}?lang=pseudo`);
    await expect(staff.getByRole("heading", { level: 1 })).toHaveText(/^\[.*·\]$/);
    await expect(staff.locator(".skeleton")).toHaveCount(0);
    expect(await staff.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), path).toBeLessThanOrEqual(0);
  }
});
