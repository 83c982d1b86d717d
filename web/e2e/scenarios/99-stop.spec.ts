import { DESK, expect, LIBRARIAN, picture, test } from "../fixtures";
import type { Page } from "@playwright/test";

async function everyRobotStands(page: Page): Promise<void> {
  const count = page.getByText(/^(\d+) of \1 stopped robots stand still\.$/);
  await expect(count).toBeVisible({ timeout: 10_000 });
}

async function resume(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Resume …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Reason/).fill("the aisle is free");
  await expect(dialog.getByRole("button", { name: "Resume", exact: true })).toBeDisabled();
  await dialog.getByLabel(/I have checked/).check();
  await dialog.getByRole("button", { name: "Resume", exact: true }).click();
  await expect(page.getByText(/stopped robots stand still/)).toHaveCount(0);
}

test("the stop reaches every robot from a page, from a dialog and by keyboard; resume lets them drive", async ({ open }) => {
  const page = await open(LIBRARIAN, "/staff/map", { viewport: DESK });
  await page.locator(".robot-row").first().waitFor();
  await page.getByRole("button", { name: "Stop all robots" }).first().click();
  await everyRobotStands(page);
  await picture(page, "staff-stop");

  await page.getByRole("button", { name: "Resume …" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.locator(".stop-layer .stop-button").click(); // above the dialog's overlay
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Stop all robots" }).press("Enter");
  await page.keyboard.press("Escape");
  await resume(page);

  await page.getByRole("link", { name: "Catalogue" }).click();
  await page.getByRole("searchbox").focus();
  await page.keyboard.press("Control+Shift+Space");
  await everyRobotStands(page);
  await resume(page);
});
