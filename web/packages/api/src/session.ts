/**
 * The session of this browser: access token in memory, refresh token in the server's cookie where it
 * offers one (else in memory, until the tab is closed). All tabs share one token.
 */
import type { components } from "./schema";
import { ApiProblem, networkProblem, problemOf } from "./problems";

/** With the tag of the last answer, which a change is sent with. */
export type User = components["schemas"]["UserRead"] & { tag?: string };
type Tokens = { access_token: string; refresh_token?: string | null; expires_in: number };
type Message = { kind: "token"; token: Token } | { kind: "ended" };
interface Token {
  access: string;
  refresh: string | null;
  expiresAt: number; // of this browser's clock
  refreshAt: number;
}

const HEADERS = { "Content-Type": "application/json", "X-LUNA-Client": "web" };
const MARK = "luna.session"; // says that a cookie may be there, so that visitors send no refresh
const LOCK = "luna.refresh";
const REFRESH_AT = 0.8; // of a token's life

/** `expired`: the server has ended it; the page stays, with what was typed, until its user signs in again. */
export type SessionState = { status: "unknown" | "signed-out" } | { status: "signed-in" | "expired"; user: User };

export class Session {
  state: SessionState = { status: "unknown" };
  private token: Token | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private first: Promise<void> | null = null;
  private restoring: Promise<void> | null = null;
  private leaving = new AbortController();
  private ending: Promise<unknown> = Promise.resolve();
  private readonly listeners = new Set<() => void>();
  private readonly channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("luna.session");

  constructor() {
    this.channel?.addEventListener("message", (event: MessageEvent<Message>) => this.receive(event.data));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get accessToken(): string | null {
    return this.token?.access ?? null;
  }

  /** Ends the calls that are under way when somebody signs out, in any tab: their answers would be refusals. */
  get signal(): AbortSignal {
    return this.leaving.signal;
  }

  /** Whether an earlier page load has left a session. */
  get isExpected(): boolean {
    return localStorage.getItem(MARK) !== null;
  }

  /** Get the first token of this page load, once. */
  begin(): Promise<void> {
    this.first ??= this.refresh();
    return this.first;
  }

  /**
   * Continue the session of an earlier page load, if there is one. While LUNA cannot be reached,
   * `known` counts as signed in, without a token: the first call that reaches LUNA gets one.
   */
  restore(known: User | null = null): Promise<void> {
    this.restoring ??= this.continue(known);
    return this.restoring;
  }

  private async continue(known: User | null): Promise<void> {
    if (!this.isExpected) return this.change({ status: "signed-out" });
    try {
      await this.begin();
      const loading = this.loadUser();
      if (!known || known.id !== subjectOf(this.accessToken)) return await loading;
      loading.catch(() => undefined); // what has changed since follows
      this.setUser(known);
    } catch (error) {
      if (error instanceof ApiProblem && error.status !== 0 && error.status < 500) this.end();
      else if (known) this.setUser(known);
      else throw error;
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.start(await this.post<Tokens>("/api/v1/auth/login", { email, password }));
  }

  /** Finish a sign-in that was answered with a challenge. */
  async confirmSignIn(challenge: string, code: string): Promise<void> {
    await this.start(await this.post<Tokens>("/api/v1/auth/login/second-factor", { challenge, code }));
  }

  /** Register and sign in; false where the address must be confirmed first. */
  async register(form: components["schemas"]["RegisterBody"]): Promise<boolean> {
    const tokens = await this.post<Partial<Tokens> | null>("/api/v1/auth/register", form);
    if (!tokens?.access_token) return false;
    await this.start(tokens as Tokens);
    return true;
  }

  /** Another page is about to begin a session in this browser. */
  expect(): void {
    localStorage.setItem(MARK, "1");
  }

  /**
   * End the session in all tabs, then on the server, whose answer is not needed: from the first moment on
   * no tab sends anything that the server would refuse. The next session begins after that answer.
   */
  async signOut(): Promise<void> {
    const isOver = this.state.status === "expired"; // the server has ended it
    const isFresh = this.token && this.token.expiresAt > Date.now(); // else the cookie says whose session it is
    const headers = { ...HEADERS, ...(isFresh ? { Authorization: `Bearer ${this.token?.access ?? ""}` } : {}) };
    this.channel?.postMessage({ kind: "ended" } satisfies Message);
    this.leave();
    if (isOver) return;
    this.ending = fetch("/api/v1/auth/logout", { method: "POST", headers, keepalive: true }).catch(() => undefined);
    await this.ending;
  }

  private leave(): void {
    this.leaving.abort();
    this.leaving = new AbortController();
    this.forget();
    this.change({ status: "signed-out" });
  }

  /** Take over the tokens of a call that answers new ones, such as a change of the password. */
  adopt(tokens: Tokens): void {
    this.keep({
      access: tokens.access_token,
      refresh: tokens.refresh_token ?? null,
      expiresAt: Date.now() + tokens.expires_in * 1000,
      refreshAt: Date.now() + tokens.expires_in * 1000 * REFRESH_AT,
    });
    if (this.token) this.channel?.postMessage({ kind: "token", token: this.token } satisfies Message);
  }

  /** Get a new token, once for all tabs; returns when this tab has it. */
  async refresh(): Promise<void> {
    const before = this.token?.access;
    const { signal } = this; // a session that is ended meanwhile stays ended
    await locked(async () => {
      if (this.token && this.token.access !== before) return; // another tab was first
      if (this.state.status === "signed-out") throw signedOut();
      const body = this.token?.refresh ? { refresh_token: this.token.refresh } : {};
      try {
        this.adopt(await this.post<Tokens>("/api/v1/auth/refresh", body, signal));
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 401) this.end();
        throw error;
      }
    });
  }

  /** The server accepts this session no more. */
  end(): void {
    if (this.state.status === "expired" || this.state.status === "signed-out") return;
    this.forget();
    this.change(this.state.status === "signed-in" ? { status: "expired", user: this.state.user } : { status: "signed-out" });
  }

  private forget(): void {
    clearTimeout(this.timer);
    this.token = null;
    localStorage.removeItem(MARK);
  }

  setUser(user: User): void {
    this.change({ status: "signed-in", user });
  }

  private async start(tokens: Tokens): Promise<void> {
    this.adopt(tokens);
    await this.loadUser();
  }

  async loadUser(): Promise<void> {
    const response = await send("/api/v1/auth/me", {
      headers: { Authorization: `Bearer ${this.accessToken ?? ""}` },
    });
    const user = { ...(await dataOf<User>(response)), tag: response.headers.get("ETag") ?? undefined };
    if (this.state.status === "expired" && (this.state.user.id !== user.id || this.state.user.role !== user.role)) location.reload(); // nothing of the other's stays
    this.setUser(user);
  }

  private async post<Data>(path: string, body: object, signal?: AbortSignal): Promise<Data> {
    await this.ending;
    return dataOf<Data>(await send(path, { method: "POST", headers: HEADERS, body: JSON.stringify(body), signal }));
  }

  private keep(token: Token): void {
    this.token = token;
    localStorage.setItem(MARK, "1");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh().catch(() => undefined), Math.max(0, token.refreshAt - Date.now()));
  }

  private receive(message: Message): void {
    if (message.kind === "ended") {
      this.leave();
    } else if ("user" in this.state && subjectOf(message.token.access) !== this.state.user.id) {
      location.reload(); // another user has signed in, in another tab
    } else if (this.state.status !== "signed-out") {
      this.keep(message.token);
      if (this.state.status === "expired") void this.loadUser().catch(() => undefined); // the role may be another
    }
  }

  private change(state: SessionState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

/** What the server would answer to a call that needs a session: nothing is sent that it can only refuse. */
export function signedOut(): ApiProblem {
  return new ApiProblem("UNAUTHENTICATED", "", 401, "");
}

/** The user of an access token; the server alone verifies it. */
function subjectOf(token: string | null): string | undefined {
  try {
    return (JSON.parse(atob((token ?? "").split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "")) as { sub?: string }).sub;
  } catch {
    return undefined;
  }
}

async function locked(work: () => Promise<void>): Promise<void> {
  await (navigator.locks ? navigator.locks.request(LOCK, work) : work());
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    throw networkProblem(error);
  }
}

async function dataOf<Data>(response: Response): Promise<Data> {
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(body, response);
  return (body as { data: Data }).data;
}

export const session = new Session();
