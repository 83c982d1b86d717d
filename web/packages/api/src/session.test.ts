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

const tokensOf = (sub: string) => ({ ...TOKENS, access_token: `h.${btoa(JSON.stringify({ sub }))}.s` });

async function signedIn(id: string): Promise<Session> {
  vi.stubGlobal("fetch", vi.fn((path: string) => Promise.resolve(answer(path.endsWith("/me") ? { id } : tokensOf(id)))));
  const session = new Session();
  await session.signIn("a@b.example", "secret");
  return session;
}

test("a session that is refused while a page is open expires with its user, and continues after signing in", async () => {
  const session = await signedIn("u");
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(answer(null, 401))));
  await expect(session.refresh()).rejects.toThrow();
  expect(session.state).toMatchObject({ status: "expired", user: { id: "u" } });
  expect(session.accessToken).toBeNull();
  vi.stubGlobal("fetch", vi.fn((path: string) => Promise.resolve(answer(path.endsWith("/me") ? { id: "u" } : tokensOf("u")))));
  await session.signIn("a@b.example", "secret");
  expect(session.state.status).toBe("signed-in");
});

test("another user who signs in, in another tab, reloads this one; the same user does not", async () => {
  const channels: EventTarget[] = [];
  vi.stubGlobal("BroadcastChannel", class extends EventTarget { postMessage = () => undefined; constructor() { super(); channels.push(this); } });
  const reload = vi.fn();
  vi.stubGlobal("location", { reload });
  const session = await signedIn("u");
  const receive = (sub: string) => {
    const token = { access: tokensOf(sub).access_token, refresh: null, expiresAt: Date.now() + 60_000, refreshAt: Date.now() + 50_000 };
    channels[0]?.dispatchEvent(new MessageEvent("message", { data: { kind: "token", token } }));
  };
  receive("u");
  expect(reload).not.toHaveBeenCalled();
  receive("other");
  expect(reload).toHaveBeenCalledOnce();
  expect(session.state).toMatchObject({ status: "signed-in", user: { id: "u" } });
});

test("signing out elsewhere ends what this tab has under way, and a refresh that is answered later brings nothing back", async () => {
  const channels: EventTarget[] = [];
  vi.stubGlobal("BroadcastChannel", class extends EventTarget { postMessage = () => undefined; constructor() { super(); channels.push(this); } });
  const session = await signedIn("u");
  let answered: (response: Response) => void = () => undefined;
  vi.stubGlobal("fetch", vi.fn((_path: string, init?: RequestInit) => new Promise((resolve, reject) => {
    answered = resolve;
    init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
  })));
  const { signal } = session;
  const refreshing = session.refresh().catch((error: unknown) => error);
  await vi.waitFor(() => expect(fetch).toHaveBeenCalled());
  channels[0]?.dispatchEvent(new MessageEvent("message", { data: { kind: "ended" } }));
  answered(answer(tokensOf("u")));
  expect(await refreshing).toMatchObject({ code: "NETWORK" });
  expect([signal.aborted, session.state.status, session.accessToken, localStorage.getItem("luna.session")]).toEqual([true, "signed-out", null, null]);
});

test("a sign-in waits until the sign-out before it is answered, whose answer would delete its cookie", async () => {
  const session = await signedIn("u");
  const order: string[] = [];
  vi.stubGlobal("fetch", vi.fn(async (path: string) => {
    order.push(path);
    if (path.endsWith("logout")) await new Promise((resolve) => setTimeout(resolve, 20));
    order.push(`${path} answered`);
    return answer(path.endsWith("/me") ? { id: "u" } : tokensOf("u"));
  }));
  void session.signOut();
  await session.signIn("a@b.example", "secret");
  expect(order.map((each) => each.replace("/api/v1/auth/", "")).slice(0, 3)).toEqual(["logout", "logout answered", "login"]);
  expect(session.state.status).toBe("signed-in");
});

test("a session that has ended asks for no sign-out; one whose token has run out is named by its cookie alone", async () => {
  const ended = await signedIn("u");
  ended.end();
  const fetch = vi.fn(() => Promise.resolve(answer(null)));
  vi.stubGlobal("fetch", fetch);
  await ended.signOut();
  expect(fetch).not.toHaveBeenCalled();
  const old = await signedIn("u");
  old.adopt({ ...tokensOf("u"), expires_in: -1 });
  const sent = vi.fn<(path: string, init?: RequestInit) => Promise<Response>>(() => new Promise(() => undefined));
  vi.stubGlobal("fetch", sent);
  void old.signOut();
  expect(sent.mock.calls[0]?.[0]).toBe("/api/v1/auth/logout");
  expect(sent.mock.calls[0]?.[1]?.headers).not.toHaveProperty("Authorization");
});

test("an account whose role was changed begins anew after signing in again", async () => {
  const reload = vi.fn();
  vi.stubGlobal("location", { reload });
  const session = await signedIn("u");
  session.end();
  vi.stubGlobal("fetch", vi.fn((path: string) => Promise.resolve(answer(path.endsWith("/me") ? { id: "u", role: "LIBRARIAN" } : tokensOf("u")))));
  await session.signIn("a@b.example", "secret");
  expect(reload).toHaveBeenCalledOnce();
});

test("signing out forgets the user", async () => {
  const session = await signedIn("u");
  await session.signOut();
  expect(session.state).toEqual({ status: "signed-out" });
});

function serial() {
  let before: Promise<unknown> = Promise.resolve();
  return (_name: string, work: () => Promise<void>) => (before = before.then(work));
}
