import { api, dataOf, isStale, session, taggedOf, type Schemas, type Tagged } from "@luna/api";
import { sendOrKeep } from "../../parts/outbox";

const WEB = { "X-LUNA-Client": "web" }; // the refresh token comes as a cookie

/** Save the form's names and phone number; the whole app shows the new name. Where they have changed elsewhere, read them. */
export async function saveProfile(form: FormData, tag: string | undefined): Promise<void> {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const body = { first_name: text("first_name"), last_name: text("last_name"), phone_number: text("phone_number") || null };
  try {
    session.setUser(await taggedOf(api.PUT("/api/v1/auth/me", { params: { header: { "If-Match": tag } }, body })));
  } catch (error) {
    if (isStale(error)) await session.loadUser();
    throw error;
  }
}

/** Change the password; every other session ends, this one continues with new tokens. */
export async function changePassword(form: FormData): Promise<void> {
  const body = { current_password: String(form.get("current")), new_password: String(form.get("new")) };
  session.adopt(await dataOf(api.PUT("/api/v1/auth/change-password", { body, headers: WEB })));
}

export function fetchSessions() {
  return dataOf(api.GET("/api/v1/auth/sessions"));
}

export function endSession(id: string): Promise<unknown> {
  return api.DELETE("/api/v1/auth/sessions/{session_id}", { params: { path: { session_id: id } } });
}

export function endOtherSessions(): Promise<unknown> {
  return api.DELETE("/api/v1/auth/sessions", { params: { query: { keep_current: true } } });
}

export function eraseAccount(): Promise<unknown> {
  return api.POST("/api/v1/auth/me/erase");
}

export function resendVerification(): Promise<unknown> {
  return api.POST("/api/v1/auth/resend-verification");
}

export function fetchFactor() {
  return dataOf(api.GET("/api/v1/auth/me/totp"));
}

export function startFactor() {
  return dataOf(api.POST("/api/v1/auth/me/totp"));
}

export async function confirmFactor(code: string): Promise<string[]> {
  return (await dataOf(api.POST("/api/v1/auth/me/totp/confirm", { body: { code } }))).recovery_codes;
}

export async function newRecoveryCodes(code: string): Promise<string[]> {
  return (await dataOf(api.POST("/api/v1/auth/me/recovery-codes", { body: { code } }))).recovery_codes;
}

export function removeFactor(form: FormData): Promise<unknown> {
  return api.DELETE("/api/v1/auth/me/totp", { body: { password: String(form.get("password")), code: String(form.get("code")).trim() } });
}

export function fetchPreferences(): Promise<Tagged<Schemas["PreferencesRead"]>> {
  return taggedOf(api.GET("/api/v1/notifications/preferences"));
}

/** Save what changed; without a connection it waits for one. */
export function savePreferences(body: Schemas["PreferencesBody"], tag?: string): Promise<void> {
  return sendOrKeep({ kind: "preferences", id: Object.keys(body).join(), body, tag });
}
