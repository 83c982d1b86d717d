import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "../../testing";

test("a refused field is marked beside its input", async () => {
  await show("/accounts?account=new", { "GET /auth/users": [], "POST /auth/users": refusal(422, "VALIDATION_ERROR", "Check the fields.", { fields: { email: ["is taken"] } }) }, { role: "ADMIN" });
  const email = await screen.findByLabelText<HTMLInputElement>(/^E-mail/);
  fireEvent.change(email, { target: { value: "mira@luna.example" } });
  fireEvent.submit(email.form as HTMLFormElement);
  await waitFor(() => expect(screen.getByText("is taken")).toBeDefined());
});
