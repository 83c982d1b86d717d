import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show, type Sent } from "../../testing";

test("a refused field is marked beside its input", async () => {
  await show("/accounts?account=new", { "GET /auth/users": [], "POST /auth/users": refusal(422, "VALIDATION_ERROR", "Check the fields.", { fields: { email: ["is taken"] } }) }, { role: "ADMIN" });
  const email = await screen.findByLabelText<HTMLInputElement>(/^E-mail/);
  fireEvent.change(email, { target: { value: "mira@luna.example" } });
  fireEvent.submit(email.form as HTMLFormElement);
  await waitFor(() => expect(screen.getByText("is taken")).toBeDefined());
});

test("an account that a colleague has changed meanwhile shows both versions; the choice is sent with the new tag", async () => {
  const account = { id: "u7", email: "a@luna.example", first_name: "Ada", last_name: "Berg", phone_number: null, role: "STUDENT", is_active: true, last_login_at: null, updated_at: "2026-01-01T10:00:00Z" };
  let saved = account;
  let version = 1;
  const answer = () => Response.json({ success: true, data: saved }, { headers: { ETag: `"${version}"` } });
  const writes = () => sent.filter(({ call }) => call === "PUT /auth/users/u7");
  const sent: Sent[] = await show("/accounts?account=u7", {
    "GET /auth/users": () => [saved], "GET /auth/users/u7": answer,
    "PUT /auth/users/u7": () => writes().length > 1 ? answer() : refusal(412, "STALE_VERSION", "Changed meanwhile."),
  }, { role: "ADMIN" });
  fireEvent.change(await screen.findByLabelText(/^First name/), { target: { value: "Adele" } });
  [saved, version] = [{ ...account, last_name: "Lund" }, 2];
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.getByRole("row", { name: /First name/ }).textContent).toMatch(/Adele.*Ada/));
  expect(screen.getByRole("row", { name: /Last name/ }).textContent).toMatch(/Berg.*Lund/);
  fireEvent.click(screen.getByRole("button", { name: "Take this choice" }));
  expect((await screen.findByLabelText<HTMLInputElement>(/^Last name/)).value).toBe("Lund");
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(writes().at(-1)?.body).toMatchObject({ first_name: "Adele", last_name: "Lund" }));
  expect(writes().map(({ headers }) => headers.get("If-Match"))).toEqual(['"1"', '"2"']);
});
