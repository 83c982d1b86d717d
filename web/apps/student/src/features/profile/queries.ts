import { api, dataOf, session } from "@luna/api";

/** Save the form's names and phone number; the whole app shows the new name. */
export async function saveProfile(form: FormData): Promise<void> {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const user = await dataOf(
    api.PUT("/api/v1/auth/me", {
      body: { first_name: text("first_name"), last_name: text("last_name"), phone_number: text("phone_number") || null },
    }),
  );
  session.setUser(user);
}
