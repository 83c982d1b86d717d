// Tests of pages: a whole application at an address, with answers in place of the API.
import { session, type User } from "@luna/api";
import { startTranslation, type OwnTexts } from "@luna/i18n";
import { RouterProvider, type AnyRouter } from "@tanstack/react-router";
import { cleanup, configure, render } from "@testing-library/react";
import { vi } from "vitest";
import { makeQueryClient, UiProvider } from "./provider";

/** Data by "GET /books/1", a whole answer, or what makes one of the request's body. */
export type Answers = Record<string, unknown>;
export interface Sent { call: string; query: URLSearchParams; body: unknown; headers: Headers }

configure({ asyncUtilTimeout: 20_000 }); // on a busy machine
const TOKENS = { access_token: "test", refresh_token: null, expires_in: 3600 };

class SilentSocket extends EventTarget {
  static OPEN = 1;
  readyState = 0;
  send(): void {}
  close(): void {}
}

/** A refusal as the API sends it. */
export function refusal(status: number, code: string, message: string, details: object = {}): Response {
  return Response.json({ success: false, error: { code, message, details }, meta: { request_id: "req_test" } }, { status });
}

function answerOf(value: unknown): Response {
  if (value instanceof Response) return value.clone();
  const pagination = Array.isArray(value) ? { page: 1, limit: 100, total: value.length, total_pages: 1 } : undefined;
  return Response.json({ success: true, data: value, pagination, facets: [], did_you_mean: null, ...(value as { envelope?: object } | null)?.envelope });
}

/** Answer calls from a table, which the test may change; every call is kept. */
function answering(answers: Answers): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("WebSocket", SilentSocket);
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request = new Request(new URL(typeof input === "string" ? input : input.url, location.origin), typeof input === "string" ? init : input);
    const { pathname, searchParams } = new URL(request.url);
    const call = `${request.method} ${pathname.replace("/api/v1", "")}`;
    const text = await request.text();
    const body: unknown = text ? JSON.parse(text) : null;
    sent.push({ call, query: searchParams, body, headers: request.headers });
    if (!(call in answers)) return refusal(404, "NOT_FOUND", `no answer to ${call}`);
    const value = answers[call];
    const answer = typeof value === "function" ? (value as (body: unknown, query: URLSearchParams) => unknown)(body, searchParams) : value;
    const ended = new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    return answerOf(await Promise.race([answer, ended]));
  });
  return sent;
}

interface Options { makeRouter: () => AnyRouter; texts?: OwnTexts; path: string; answers: Answers; user: Partial<User> | null }

/** Show an application; returns the calls it sends. */
export async function showApplication({ makeRouter, texts, path, answers, user }: Options): Promise<Sent[]> {
  cleanup();
  history.replaceState(null, "", path);
  const sent = answering({ "POST /auth/refresh": TOKENS, "POST /notifications/ws-ticket": { ticket: "t" }, "GET /notifications/unread-count": { unread: 0 }, ...answers });
  session.state = { status: "signed-out" };
  if (user) {
    session.adopt(TOKENS);
    session.setUser({ id: "u1", email: "mira@luna.example", first_name: "Mira", last_name: "Lund", role: "STUDENT", ...user } as User);
  }
  await startTranslation(texts);
  render(
    <UiProvider client={makeQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </UiProvider>,
  );
  return sent;
}
