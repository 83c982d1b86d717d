import { DESK, expect, LIBRARIAN, picture, test } from "../fixtures";
import { call } from "../system";

const FILE = ["title,author,isbn,publication_year", "A Checked Book,Ada Example,9780306406157,1999", "No Author,,,2001", "Bad Number,Bo Example,123,2002"].join("\n");

test("a librarian checks a file and reads what is wrong with it", async ({ open }) => {
  const page = await open(LIBRARIAN, "/staff/imports", { viewport: DESK });
  await page.locator("input[type=file]").setInputFiles({ name: "books.csv", mimeType: "text/csv", buffer: Buffer.from(FILE) });
  await page.getByRole("button", { name: "Check the file" }).click();
  await expect(page).toHaveURL(/\/imports\/[0-9a-f-]{36}$/); // the list before it shows other imports that are done
  await expect(page.getByText("Done", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/This was a check/)).toBeVisible();
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await picture(page, "staff-import");
});

test("an import runs on when its page is left, is found again, and can be undone", async ({ open }) => {
  const title = `Imported by a page ${Date.now()}`;
  const page = await open(LIBRARIAN, "/staff/imports", { viewport: DESK });
  const name = `${Date.now()}.csv`;
  await page.locator("input[type=file]").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(`title,author\n${title},Ada Example\n`) });
  await page.getByLabel("Check only, change nothing").uncheck();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page).toHaveURL(/\/imports\/[0-9a-f-]{36}$/);
  await page.getByRole("link", { name: "Today", exact: true }).click();
  await page.getByRole("link", { name: "Import", exact: true }).click();
  await page.getByRole("link", { name }).click();
  await expect(page).toHaveURL(/\/imports\/[0-9a-f-]{36}$/);
  await expect(page.getByText("Done", { exact: true })).toBeVisible({ timeout: 60_000 });
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Report as CSV" }).click();
  expect((await download).suggestedFilename()).toBe("import.csv");
  const found = () => call<unknown[]>(LIBRARIAN, "GET", `/books?exact=true&q=${encodeURIComponent(title)}`);
  expect(await found()).toHaveLength(1);
  await page.getByRole("button", { name: "Undo the import" }).click();
  await expect(page.getByText("This import was undone.")).toBeVisible();
  expect(await found()).toHaveLength(0);
});
