import { DESK, expect, LIBRARIAN, picture, scan, STUDENT, test } from "../fixtures";

test("a student requests a book, a librarian loads it, a robot brings it, it is on loan", async ({ open }) => {
  const student = await open(STUDENT, "/");
  await student.getByRole("combobox").fill("A Brief History of Time");
  await student.getByRole("link", { name: "A Brief History of Time" }).first().waitFor();
  await picture(student, "student-search");
  await student.getByRole("link", { name: "A Brief History of Time" }).first().click();
  await student.getByRole("link", { name: "Have it brought to me" }).click();
  await student.getByRole("searchbox").fill("201");
  await student.getByText("Study Room 201").click();
  await student.getByRole("button", { name: "Request the book" }).dblclick();
  await expect(student).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  const reference = (await student.getByText(/^Delivery /).innerText()).replace("Delivery ", "");

  const librarian = await open(LIBRARIAN, "/staff/", { viewport: DESK });
  const card = librarian.locator(".task-card", { hasText: reference });
  await expect(card).toHaveCount(1); // the double click made one request
  await picture(librarian, "staff-today");
  await expect(librarian.locator(".lane.loading .task-card", { hasText: reference })).toBeVisible({ timeout: 60_000 });
  await card.getByRole("button").click();
  const barcode = await librarian.getByRole("dialog").locator("dd", { hasText: /^LB\d+/ }).innerText();
  await librarian.keyboard.press("Escape");

  await librarian.getByRole("link", { name: "Pick list" }).click();
  await expect(librarian.getByText(barcode)).toBeVisible();
  await librarian.getByRole("link", { name: "Load and receive" }).click();
  await librarian.getByText(barcode).waitFor();
  await scan(librarian, barcode); // with no field focused
  await expect(librarian.getByText(/is on .*; it drives/)).toBeVisible();

  await expect(student.getByText(/on its way to Study Room 201/)).toBeVisible();
  await picture(student, "student-tracking");
  await librarian.getByRole("link", { name: "Robots" }).click();
  await librarian.locator(".map .robot").first().waitFor();
  await picture(librarian, "staff-map");

  await expect(student.getByRole("heading", { name: "The robot is here" })).toBeVisible({ timeout: 60_000 });
  await expect(student.locator(".code")).toHaveText(/^\d{4}$/);
  await picture(student, "student-handover");
  await student.getByRole("button", { name: "I have the book" }).click();
  await student.getByRole("link", { name: "See your loans" }).click();
  await expect(student.getByRole("heading", { name: "A Brief History of Time" })).toBeVisible();
  await picture(student, "student-loans");
});
