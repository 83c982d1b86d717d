import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "../../testing";

test("a password manager finds both fields, and a refusal is shown in words", async () => {
  await show("/sign-in", { "POST /auth/login": refusal(401, "INVALID_CREDENTIALS", "E-mail or password is wrong.") }, null);
  const email = await screen.findByLabelText<HTMLInputElement>(/E-mail/);
  const password = screen.getByLabelText<HTMLInputElement>(/^Password/);
  expect([email.autocomplete, password.autocomplete]).toEqual(["username", "current-password"]);
  fireEvent.change(email, { target: { value: "mira@luna.example" } });
  fireEvent.change(password, { target: { value: "wrong" } });
  fireEvent.submit(email.form as HTMLFormElement);
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("E-mail or password is wrong."));
});

test("the token of a mail's link is read from behind the hash", async () => {
  const sent = await show("/reset-password#token=abc", { "POST /auth/reset-password": null }, null);
  const password = await screen.findByLabelText<HTMLInputElement>(/^New password/);
  fireEvent.change(password, { target: { value: "Harbour-51-violin" } });
  fireEvent.submit(password.form as HTMLFormElement);
  await waitFor(() => expect(sent.find(({ call }) => call === "POST /auth/reset-password")?.body).toEqual({ token: "abc", new_password: "Harbour-51-violin" }));
});
