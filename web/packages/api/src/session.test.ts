import { beforeEach, expect, test, vi } from "vitest";
import { Session, type User } from "./session";

const TOKENS = { access_token: "a1", refresh_token: null, expires_in: 3600 };
const answer = (data: unknown, status = 200) => Response.json({ success: status < 400, data, error: { code: "X", message: "no" } }, { status });

beforeEach(() => localStorage.clear());

test("a visitor without a session sends nothing", async () => {
  const fetch = vi.fn();
  vi.stubGlobal("fetch", fetch);
  const session = new Session();
  await session.restore();
  expect(session.state.status).toBe("signed-out");
  expect(fetch).not.toHaveBeenCalled();
});

test("sign-in keeps the token in memory only", async () => {
  vi.stubGlobal("fetch", vi.fn((path: string) => Promise.resolve(answer(path.endsWith("/me") ? { id: "u" } : TOKENS))));
  const session = new Session();
  await session.signIn("a@b.example", "secret");
  expect(session.state.status).toBe("signed-in");
  expect(session.accessToken).toBe("a1");
  expect(JSON.stringify({ ...localStorage })).not.toContain("a1");
});

test("a session that the server refuses ends", async () => {
  localStorage.setItem("luna.session", "1");
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(answer(null, 401))));
  const session = new Session();
  await session.restore();
  expect(session.state.status).toBe("signed-out");
  expect(localStorage.getItem("luna.session")).toBeNull();
});

test("two refreshes at once send one", async () => {
  let calls = 0;
  vi.stubGlobal("navigator", { locks: { request: serial() } });
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(answer({ ...TOKENS, access_token: `a${++calls}` }))));
  const session = new Session();
  await Promise.all([session.refresh(), session.refresh()]);
  expect(calls).toBe(1);
});

test("without a connection the user who was known stays signed in, without a token", async () => {
  localStorage.setItem("luna.session", "1");
  vi.stubGlobal("fetch", vi.fn(() => Promise.reject(new TypeError("Failed to fetch"))));
  const session = new Session();
  await session.restore({ id: "u" } as User);
  expect(session.state).toEqual({ status: "signed-in", user: { id: "u" } });
  expect(session.accessToken).toBeNull();
});

test("the user who was known is shown at once, unless the session is somebody else's", async () => {
  const tokens = (sub: string) => ({ ...TOKENS, access_token: `h.${btoa(JSON.stringify({ sub }))}.s` });
  const state = async (sub: string) => {
    localStorage.setItem("luna.session", "1");
    vi.stubGlobal("fetch", vi.fn((path: string) => (path.endsWith("/me") ? new Promise(() => undefined) : Promise.resolve(answer(tokens(sub))))));
    const session = new Session();
    void session.restore({ id: "u" } as User);
    await vi.waitFor(() => expect(session.accessToken).not.toBeNull());
    await new Promise((resolve) => setTimeout(resolve, 0));
    return session.state.status;
  };
  expect(await state("u")).toBe("signed-in");
  expect(await state("other")).toBe("unknown");
});

function serial() {
  let before: Promise<unknown> = Promise.resolve();
  return (_name: string, work: () => Promise<void>) => (before = before.then(work));
}
