import { expect, test, THIRD } from "../fixtures";
import { cleared } from "../system";

test("a student cancels a request by keyboard", async ({ open }) => {
  await cleared(THIRD);
  const page = await open(THIRD, "/?q=Kokoro");
  await page.getByRole("link", { name: /Kokoro/ }).first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Have it brought to me" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("radio", { name: /Study Room 101/ }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Cancel this request" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.getByRole("button", { name: "Yes, cancel it" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("This request was cancelled.")).toBeVisible();
});
