import type { Page } from "@playwright/test";
import { ADMIN, DESK, expect, KEYBOARD, LIBRARIAN, PHONE, picture, POINTER, test, THIRD, type Hands } from "../fixtures";
import { check } from "../accessibility/axe";
import { call, copyOf, newStudent, requested, suspended } from "../system";

async function everyRobotStands(page: Page): Promise<void> {
  const count = page.getByText(/^(\d+) of \1 stopped robots stand still\.$/);
  await expect(count).toBeVisible({ timeout: 30_000 });
}

async function resume(page: Page, { press, type, tick }: Hands = POINTER): Promise<void> {
  await press(page, page.getByRole("button", { name: "Resume …" }));
  const dialog = page.getByRole("dialog");
  await type(page, dialog.getByLabel(/^Reason/), "the aisle is free");
  await expect(dialog.getByRole("button", { name: "Resume", exact: true })).toBeDisabled();
  await tick(page, dialog.getByLabel(/I have checked/));
  await press(page, dialog.getByRole("button", { name: "Resume", exact: true }));
  await expect(page.getByText(/stopped robots stand still/)).toHaveCount(0);
}

/** Press the button above the overlay, then the one inside the dialog; both are sent, the dialog stays. */
async function stopsFromDialog(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  const sent = () => page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/robot/emergency-stop"));
  await Promise.all([sent(), page.locator(".stop-layer .stop-button").click()]);
  await Promise.all([sent(), dialog.getByRole("button", { name: "Stop all robots" }).press("Enter")]);
  await Promise.all([sent(), page.keyboard.press("Control+Shift+Space")]);
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect.poll(() => page.evaluate(() => !!document.activeElement?.closest(".content")), "the focus is back on the page").toBe(true);
}

const DIALOGS: [name: string, path: string, opener: (page: Page) => Promise<void>][] = [
  ["a member", "/staff/members", (page) => page.locator("tbody .link-button").first().click()],
  ["an account", "/staff/accounts", (page) => page.locator("tbody .link-button").first().click()],
  ["a new account", "/staff/accounts", (page) => page.getByRole("button", { name: "Add an account" }).click()],
  ["a robot", "/staff/fleet", (page) => page.locator("tbody .link-button").first().click()],
  ["a new robot", "/staff/fleet", (page) => page.getByRole("button", { name: "Register a robot" }).click()],
  ["a copy", "/staff/catalogue", async (page) => {
    await page.locator("tbody a").first().click();
    await page.locator("tbody .link-button").first().click();
  }],
  ["the camera", "/staff/desk", (page) => page.getByRole("button", { name: "Scan with the camera" }).click()],
  ["a delivery", "/staff/", (page) => page.locator(".card-button").first().click()],
  ["resuming", "/staff/", (page) => page.getByRole("button", { name: "Resume …" }).click()],
];

const TITLES = ["Clean Code", "Introduction to Algorithms", "Meditations", "Gödel, Escher, Bach", "Modern Robotics", "The Story of Art", "Concrete Mathematics", "Probabilistic Robotics"];
const READERS = ["Noor Haddad", "Mira Lund", "Ada Berg", "Tomás Rey", "Yuki Mori", "Lena Vogt", "Omar Said", "Ines Costa"];

/** Have as many readers request a title each as there are robots and more. */
async function busyDay(): Promise<{ cancel: () => Promise<unknown> }> {
  const open: (() => Promise<unknown>)[] = [];
  for (const [index, name] of READERS.entries()) {
    const [first = "", last = ""] = name.split(" ");
    const person = await newStudent(first, last);
    const { bookId } = await copyOf(TITLES[index] ?? "");
    const { id } = await requested(person, bookId, ["Study Room 101", "Study Room 201", "Study Room 104"][index % 3] ?? "");
    open.push(() => call(person, "PUT", `/requests/${id}/cancel`, {}).catch(() => undefined)); // one that failed or was brought
  }
  return { cancel: () => Promise.all(open.map((each) => each())) };
}

test("on a busy day the board shows each delivery where it is; after a stop, resuming names the robots that drive on", async ({ open }) => {
  test.setTimeout(240_000);
  const page = await open(LIBRARIAN, "/staff/", { viewport: DESK });
  const day = await busyDay();
  try {
    const atDesk = page.locator(".lane.loading .task-card");
    await expect(atDesk.nth(3)).toBeVisible({ timeout: 90_000 });
    const reads = ["ASSIGNED", "IN_PROGRESS"].map((status) => call<{ id: string; stage: string | null }[]>(LIBRARIAN, "GET", `/deliveries?status=${status}&limit=100`));
    const [failing, claimed, ...others] = (await Promise.all(reads)).flat().filter(({ stage }) => stage === "LOADING");
    await call(LIBRARIAN, "PUT", `/deliveries/${failing?.id}/fail`, { reason: "The tray does not open." });
    await call(LIBRARIAN, "PUT", `/deliveries/${claimed?.id}/claim`);
    for (const { id } of others.slice(0, 2)) await call(LIBRARIAN, "PUT", `/deliveries/${id}/book-placed`, {});
    for (const lane of ["attention", "loading", "moving"]) await expect(page.locator(`.lane.${lane} .task-card`).first()).toBeVisible();
    await page.getByRole("heading", { name: "Today" }).click(); // nothing is hovered
    await picture(page, "staff-today");
    await page.getByRole("button", { name: "Stop all robots" }).first().click();
    await everyRobotStands(page);
    const busy = (await call<{ robot_name: string; current_task_id: string | null }[]>(LIBRARIAN, "GET", "/robot/status?limit=100")).filter((robot) => robot.current_task_id);
    await page.getByRole("button", { name: "Resume …" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText("These robots drive on at once")).toBeVisible();
    for (const { robot_name: name } of busy) await expect(dialog.locator("li", { hasText: name })).toHaveCount(1);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Robots" }).click();
    await page.locator(".map .robot .body").first().waitFor();
    await picture(page, "staff-stop");
    await resume(page);
    await expect(page.locator(".robot-row", { hasText: "Driving" }).first()).toBeVisible();
  } finally {
    await day.cancel();
  }
});

test("the stop works from every dialog, by mouse and by keyboard", async ({ open }) => {
  test.setTimeout(150_000);
  const [book] = await call<{ id: string }[]>(THIRD, "GET", "/books?available=true&limit=1&sort=title&order=desc");
  const request = await call<{ id: string }>(THIRD, "POST", "/requests", { book_id: book?.id, request_location: "Study Room 101" });
  const page = await open(ADMIN, "/staff/map", { viewport: DESK });
  await page.addInitScript(() => Object.assign(globalThis, { BarcodeDetector: class { detect = () => Promise.resolve([]); } })); // Debian's Chromium has none
  await page.locator(".robot-row").first().waitFor();
  for (const [name, path, opener] of DIALOGS)
    await test.step(name, async () => {
      await page.goto(path);
      await opener(page);
      await stopsFromDialog(page);
    });
  await everyRobotStands(page);
  await resume(page);
  await call(THIRD, "PUT", `/requests/${request.id}/cancel`, {});
});

test("the stop reaches every robot and is proved by each; resume lets them drive", async ({ open }) => {
  test.setTimeout(150_000);
  const page = await open(LIBRARIAN, "/staff/map", { viewport: DESK });
  await page.locator(".robot-row").first().waitFor();
  await page.getByRole("button", { name: "Stop all robots" }).first().click();
  await everyRobotStands(page);
  await check(page, "stopped", page.getByText(/stopped robots stand still/));
  await page.getByRole("button", { name: "Resume …" }).click();
  await check(page, "resuming", page.getByRole("dialog"));
  await page.keyboard.press("Escape");
  await resume(page);
  await page.getByRole("link", { name: "Catalogue" }).click();
  await page.getByRole("searchbox").focus();
  await page.keyboard.press("Control+Shift+Space");
  await everyRobotStands(page);
  await resume(page);
});

for (const [how, hands] of [["by pointer", POINTER], ["by keyboard alone", KEYBOARD]] as const)
  test(`at 360 px robots are stopped and resumed ${how}`, async ({ open }) => {
    const page = await open(LIBRARIAN, "/staff/map", { viewport: PHONE });
    await page.locator(".robot-row").first().waitFor();
    await hands.press(page, page.getByRole("button", { name: "Stop all robots" }).first());
    await everyRobotStands(page);
    await resume(page, hands);
  });

test("a robot that does not confirm raises an alarm by name, until it does", async ({ open }) => {
  const page = await open(LIBRARIAN, "/staff/map", { viewport: DESK });
  await page.locator(".robot-row").first().waitFor();
  const robot = suspended("robot-1");
  try {
    await page.getByRole("button", { name: "Stop all robots" }).first().click();
    await expect(page.getByRole("alert").filter({ hasText: /luna-bot-1 has not confirmed that it stands/ })).toBeVisible();
    await expect(page.getByRole("alert").filter({ hasText: "Use the red button on the robot." })).toBeVisible();
  } finally {
    robot.resume();
  }
  await everyRobotStands(page);
  await resume(page);
});
