import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { refusal, show } from "../../testing";

const SESSIONS = [
  { id: "s1", user_agent: "Firefox", last_used_at: "2026-01-01T10:00:00Z", current: true },
  { id: "s2", user_agent: "A lost phone", last_used_at: "2026-01-01T09:00:00Z", current: false },
];

test("other devices are signed out at once, this one stays", async () => {
  const sent = await show("/profile", { "GET /auth/sessions": SESSIONS, "DELETE /auth/sessions": null });
  expect(await screen.findByText("A lost phone")).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: /other devices/i }));
  await waitFor(() => expect(sent.find(({ call }) => call === "DELETE /auth/sessions")?.query.get("keep_current")).toBe("true"));
});

const CHANNELS = (push: boolean, email: boolean) => [{ notification_type: "LOAN_DUE_SOON", in_app: true, push, email, urgent: false }];
const preferences = (push: boolean, email: boolean, version: number) =>
  Response.json({ success: true, data: { channels: CHANNELS(push, email), quiet_hours: null, language: "en", push_public_key: null } }, { headers: { ETag: `"${version}"` } });

test("preferences that were changed elsewhere are shown with what was chosen here, which is then saved", async () => {
  let now = preferences(false, false, 1);
  const saves = () => sent.filter(({ call }) => call === "PUT /notifications/preferences");
  const sent: Awaited<ReturnType<typeof show>> = await show("/profile", {
    "GET /auth/sessions": SESSIONS, "GET /notifications/preferences": () => now,
    "PUT /notifications/preferences": () => saves().length > 1 ? preferences(true, true, 3) : refusal(412, "STALE_VERSION", "Changed."),
  });
  const box = (name: string) => screen.getByRole<HTMLInputElement>("checkbox", { name });
  fireEvent.click(await screen.findByRole("checkbox", { name: "On this device" }));
  now = preferences(false, true, 2); // e-mail was chosen in another browser
  fireEvent.submit(box("On this device").form as HTMLFormElement);
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("This has changed meanwhile."));
  expect([box("On this device").checked, box("By e-mail").checked]).toEqual([true, true]);
  fireEvent.submit(box("On this device").form as HTMLFormElement);
  await waitFor(() => expect(saves()).toHaveLength(2));
  expect(saves().map(({ headers }) => headers.get("If-Match"))).toEqual(['"1"', '"2"']);
  expect(saves()[1]?.body).toMatchObject({ channels: CHANNELS(true, true) });
});

test("a profile that was changed elsewhere says what is saved now and keeps what was typed", async () => {
  const person = (first_name: string) => ({ id: "u1", email: "mira@luna.example", first_name, last_name: "Lund", role: "STUDENT", phone_number: null });
  const sent = await show("/profile", {
    "GET /auth/sessions": SESSIONS, "PUT /auth/me": refusal(412, "STALE_VERSION", "Changed."),
    "GET /auth/me": () => Response.json({ success: true, data: person("Miriam") }, { headers: { ETag: '"2"' } }),
  }, { tag: '"1"' });
  const name = await screen.findByLabelText<HTMLInputElement>(/^First name/);
  fireEvent.change(name, { target: { value: "Mirabel" } });
  fireEvent.submit(name.form as HTMLFormElement);
  expect(await screen.findByText("Saved now: Miriam · Lund")).toBeDefined();
  expect(name.value).toBe("Mirabel");
  fireEvent.submit(name.form as HTMLFormElement);
  await waitFor(() => expect(sent.filter(({ call }) => call === "PUT /auth/me").map(({ headers }) => headers.get("If-Match"))).toEqual(['"1"', '"2"']));
});
