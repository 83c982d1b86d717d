// The main journey in both applications, from the search to the book back at the desk.
import type { Locator, Page } from "@playwright/test";
import { DESK, expect, FOURTH, KEYBOARD, LIBRARIAN, openCard, PHONE, picture, POINTER, scan, STUDENT, test, type Hands } from "../fixtures";
import { cleared } from "../system";

const TITLE = "A Brief History of Time";
const ROBOT = 60_000; // ms that a robot needs at most for its way

/** Find the book in spite of two typing errors, and request it to Study Room 201. */
async function requests(page: Page, { press, type, tick }: Hands): Promise<string> {
  await type(page, page.getByRole("combobox"), "a brief histroy of time");
  await press(page, page.getByRole("link", { name: TITLE }).first());
  await press(page, page.getByRole("link", { name: "Have it brought to me" }));
  await type(page, page.getByRole("searchbox"), "201");
  await tick(page, page.getByRole("radio", { name: /Study Room 201/ }));
  await expect(page.getByText(/^Arrives at about/)).toBeVisible(); // before it is requested
  const confirm = page.getByRole("button", { name: "Request the book" });
  await press(page, confirm);
  await confirm.click({ timeout: 300, force: true }).catch(() => undefined); // once more, while it is being sent
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  return (await page.getByText(/^Delivery /).innerText()).replace("Delivery ", "");
}

/** Claim the delivery on the board, tick it on the pick list; return the barcode. */
async function prepares(page: Page, { press, tick }: Hands, card: Locator): Promise<string> {
  await openCard(page, card, press);
  const dialog = page.getByRole("dialog");
  await press(page, dialog.getByRole("button", { name: "I prepare it" }));
  await expect(dialog.getByText("Ruth Okafor")).toBeVisible();
  const barcode = await dialog.locator("dd", { hasText: /^LB\d+/ }).innerText();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await press(page, page.getByRole("link", { name: "Pick list" }));
  await tick(page, page.locator(".pick", { hasText: barcode }).getByRole("checkbox"));
  await expect(page.locator(".pick.picked", { hasText: barcode })).toBeVisible();
  return barcode;
}

async function takes(page: Page, { press }: Hands): Promise<void> {
  await expect(page.getByRole("heading", { name: "The robot is here" })).toBeVisible({ timeout: ROBOT });
  await expect(page.locator(".code")).toHaveText(/^\d{4}$/);
  await press(page, page.getByRole("button", { name: "I have the book" }));
  await press(page, page.getByRole("link", { name: "See your loans" }));
  await expect(page.locator(".card", { hasText: TITLE })).toBeVisible();
}

/** Have the loan fetched from the same place, and put the book on the robot. */
async function givesBack(page: Page, { press, tick }: Hands): Promise<void> {
  await press(page, page.locator(".card", { hasText: TITLE }).getByRole("link", { name: "Have it fetched" }));
  await tick(page, page.getByRole("radio", { name: /Study Room 201/ }));
  await press(page, page.getByRole("button", { name: "Send a robot" }));
  await expect(page.getByRole("heading", { name: "The robot is here" })).toBeVisible({ timeout: ROBOT });
  await press(page, page.getByRole("button", { name: "The robot has the book" }));
  await expect(page.getByText("The loan has ended: the robot has the book.")).toBeVisible();
}

/** A picture of the dashboard at the size of a desk. */
async function deskPicture(page: Page, name: string): Promise<void> {
  const size = page.viewportSize() ?? DESK;
  await page.setViewportSize(DESK);
  await picture(page, name);
  await page.setViewportSize(size);
}

for (const [how, hands, person, staffSize] of [["by pointer at 360 px", POINTER, STUDENT, PHONE], ["by keyboard alone", KEYBOARD, FOURTH, DESK]] as const) {
  const isPointer = hands === POINTER;
  test(`a book is requested, prepared, brought, lent, fetched and received, ${how}`, async ({ open }) => {
    test.setTimeout(240_000);
    await cleared(person);
    const student = await open(person, "/");
    if (isPointer) {
      await student.getByRole("combobox").fill("history");
      await student.getByRole("link", { name: TITLE }).first().waitFor();
      await picture(student, "student-search");
    }
    const reference = await requests(student, hands);
    const librarian = await open(LIBRARIAN, "/staff/", { viewport: staffSize });
    const card = librarian.locator(".task-card", { hasText: reference });
    await expect(card).toHaveCount(1); // both presses made one request
    const barcode = await prepares(librarian, hands, card);

    await hands.press(librarian, librarian.getByRole("link", { name: "Load and receive" }));
    const row = librarian.locator(".columns li", { hasText: barcode });
    await expect(row).toBeVisible({ timeout: ROBOT });
    if (isPointer) await scan(librarian, barcode); // with no field focused
    else await hands.press(librarian, row.getByRole("button"));
    await expect(librarian.getByText(/is on .*; it drives/)).toBeVisible();
    const onItsWay = student.getByText(/on its way to Study Room 201/);
    await expect(onItsWay.or(student.getByText(/is at Study Room 201/))).toBeVisible({ timeout: ROBOT }); // it drives fast
    await expect(student.locator(".map .robot .body")).toBeVisible();
    if (isPointer) {
      if (await onItsWay.isVisible()) await picture(student, "student-tracking");
      await librarian.getByRole("link", { name: "Robots" }).click();
      await librarian.locator(".map .robot .body").first().waitFor();
      await deskPicture(librarian, "staff-map");
      await librarian.getByRole("link", { name: "Load and receive" }).click();
      await expect(student.getByRole("heading", { name: "The robot is here" })).toBeVisible({ timeout: ROBOT });
      await picture(student, "student-handover");
    }
    await takes(student, hands);
    if (isPointer) await picture(student, "student-loans");

    await givesBack(student, hands);
    await expect(row).toBeVisible({ timeout: ROBOT });
    if (isPointer) await scan(librarian, barcode);
    else await hands.press(librarian, row.getByRole("button"));
    await expect(librarian.getByText(/received from/)).toBeVisible();
    await expect(student.getByText("The book is back in the library.")).toBeVisible();
  });
}
