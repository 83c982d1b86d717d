import { DESK, expect, LIBRARIAN, scan, test } from "../fixtures";
import { promptly } from "../speed/machine";
import { copyOf, newStudent, type Copy } from "../system";

const TITLES = ["Le Petit Prince", "Die Verwandlung", "Nineteen Eighty-Four"];
const BURST = 10; // scans
const BURST_TIME = 10_000; // ms

test("a librarian lends and receives with the scanner, whatever has the focus, and loses no scan", async ({ open, ignoring }) => {
  ignoring(/status of 404/); // the scans of codes that no copy has
  const student = await newStudent("Noor", "Haddad");
  const copies: Copy[] = [];
  for (const title of TITLES) copies.push(await copyOf(title));
  const page = await open(LIBRARIAN, "/staff/desk", { viewport: DESK });
  await page.getByRole("searchbox", { name: "Find a member to lend to" }).fill(student.email);
  await page.getByRole("button", { name: "Lend Noor Haddad" }).click();
  await expect(page.getByText("Scans are lent to Noor Haddad.")).toBeVisible();
  const entry = (code: string) => page.locator(".scans li", { hasText: code });
  for (const { barcode, title } of copies) {
    await scan(page, barcode); // the focus is on a button
    await expect(entry(barcode)).toContainText(`${title}: lent, due`);
  }
  const loans = page.locator(".rows li", { hasText: /LB\d+/ });
  await expect(loans).toHaveCount(copies.length);
  const renew = loans.first().getByRole("button", { name: "Renew" });
  await expect(renew).toBeDisabled(); // it was lent just now; the server says why
  await expect(renew).toHaveAttribute("title", /\w/);
  await loans.first().getByRole("button", { name: "Return", exact: true }).click();
  await expect(page.getByText("Loan updated")).toBeVisible();
  await expect(loans).toHaveCount(copies.length - 1);

  await page.getByRole("button", { name: "Done", exact: true }).click();
  await expect(page.getByText("Scans are received. To lend, choose a member.")).toBeVisible();
  await page.getByRole("searchbox", { name: "Find a member to lend to" }).focus();
  const codes = [...copies.map((copy) => copy.barcode), ...Array.from({ length: BURST - copies.length }, (_, index) => `LB99990${index}`)];
  await promptly(BURST_TIME, async () => {
    for (const code of codes) await scan(page, code);
    for (const { barcode, title } of copies) await expect(page.locator(".scans .tone-done", { hasText: barcode }).first()).toContainText(`${title}: received.`);
    for (const code of codes.slice(copies.length)) await expect(page.locator(".scans .tone-fail", { hasText: code })).toHaveCount(1); // no such copy
  });
});

test("a refusal lists all reasons, and staff may lend in spite of them with a note", async ({ open, ignoring }) => {
  ignoring(/status of 409/);
  const student = await newStudent("Noor", "Haddad");
  const { barcode } = await copyOf("Ulysses");
  const page = await open(LIBRARIAN, `/staff/desk?q=${student.email}`, { viewport: DESK });
  await page.getByRole("button", { name: "Lend Noor Haddad" }).click();
  await scan(page, barcode);
  await expect(page.locator(".scans .tone-done", { hasText: barcode })).toBeVisible();
  await scan(page, barcode); // it is lent already
  await expect(page.locator(".scans .tone-fail", { hasText: barcode }).first()).toBeVisible();
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await scan(page, barcode);
  await expect(page.locator(".scans .tone-done", { hasText: barcode }).first()).toContainText("received");
});
