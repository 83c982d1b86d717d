import { DESK, expect, LIBRARIAN, picture, test } from "../fixtures";

const FILE = ["title,author,isbn,publication_year", "A Checked Book,Ada Example,9780306406157,1999", "No Author,,,2001", "Bad Number,Bo Example,123,2002"].join("\n");

test("a librarian checks a file and reads what is wrong with it", async ({ open }) => {
  const page = await open(LIBRARIAN, "/staff/imports", { viewport: DESK });
  await page.locator("input[type=file]").setInputFiles({ name: "books.csv", mimeType: "text/csv", buffer: Buffer.from(FILE) });
  await page.getByRole("button", { name: "Check the file" }).click();
  await expect(page.getByText("Done", { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/This was a check/)).toBeVisible();
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await picture(page, "staff-import");
});
