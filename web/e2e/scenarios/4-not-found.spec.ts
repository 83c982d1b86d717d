import { DESK, expect, LIBRARIAN, scan, test } from "../fixtures";
import { copyOf, newStudent, requested } from "../system";

test("a copy that is not on its shelf ends the request and keeps the student's place until it is found", async ({ open, ignoring }) => {
  ignoring(/status of 412/); // a robot may set out meanwhile
  const person = await newStudent("Noor", "Haddad");
  const { bookId, barcode, title } = await copyOf("Neuromancer"); // the only copy
  const { id } = await requested(person, bookId, "Study Room 101");
  const student = await open(person, `/requests/${id}`);
  await student.getByRole("heading", { name: title }).waitFor();
  const librarian = await open(LIBRARIAN, "/staff/pick-list", { viewport: DESK });
  const line = librarian.locator(".pick", { hasText: barcode });
  await line.waitFor();
  await scan(librarian, "LB-999999");
  await expect(librarian.getByRole("alert")).toContainText("LB-999999 is not on this list");
  await line.getByRole("button", { name: "Not on its shelf" }).click();
  await expect(librarian.getByText(/there is no other copy/)).toBeVisible();
  await expect(line).toHaveCount(0);

  await expect(student.getByText("This request was cancelled.")).toBeVisible();
  await student.getByRole("link", { name: "Loans" }).click();
  await student.getByRole("link", { name: "Holds" }).click();
  const hold = student.locator(".card", { hasText: title });
  await expect(hold.getByText("Number 1 in the queue")).toBeVisible();

  await librarian.getByRole("link", { name: "Desk" }).click();
  await librarian.getByText("Scans are received.").waitFor();
  await scan(librarian, barcode); // it has turned up
  await expect(librarian.getByText("It is kept for Noor Haddad on the hold shelf.")).toBeVisible();
  await expect(hold.getByText("Kept for you")).toBeVisible(); // without a reload
  await hold.getByRole("button", { name: "Leave the queue" }).click();
  await expect(hold).toHaveCount(0);
});
