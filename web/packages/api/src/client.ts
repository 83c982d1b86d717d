/** Calls of the REST API, typed by docs/openapi.json. Every failure is an ApiProblem. */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";
import { takeEarly } from "./early";
import { isStale, networkProblem, problemOf } from "./problems";
import { session, signedOut } from "./session";

const KEY = "Idempotency-Key";
export type Schemas = components["schemas"];

const SIGNED_OUT_CODES = new Set(["UNAUTHENTICATED", "TOKEN_REVOKED", "INVALID_TOKEN", "ACCOUNT_INACTIVE"]);

/** Calls of visitors; the others are refused here while nobody is signed in, as when a read is tried again after signing out. */
export const PUBLIC = /^\/api\/v1\/auth\/(?:client-settings|forgot-password|reset-password|verify-email)$/;

/**
 * Keys of writes whose answer has not come. The same write then carries the same key again, and has an
 * effect once: after a lost answer, a failure of the gateway or a second press.
 */
const unanswered = new Map<string, { key: string; at: number }>();
const MAX_AGE = 300_000; // ms; later the same call is another write

async function send(request: Request): Promise<Response> {
  const early = await takeEarly(request);
  if (early) return early;
  if (request.method === "GET") return sendWithToken(request);
  const write = `${request.method} ${request.url} ${request.headers.get(KEY) ?? (await request.clone().text())}`;
  const before = unanswered.get(write);
  const key = request.headers.get(KEY) ?? (before && Date.now() - before.at < MAX_AGE ? before.key : newKey());
  unanswered.set(write, { key, at: Date.now() });
  request.headers.set(KEY, key);
  const response = await sendWithToken(request);
  if (response.status < 500) unanswered.delete(write);
  return response;
}

/** Send with the token; on TOKEN_EXPIRED refresh once and send again. */
async function sendWithToken(request: Request): Promise<Response> {
  const { status } = session.state;
  if ((status === "expired" || status === "signed-out") && !PUBLIC.test(new URL(request.url).pathname)) throw signedOut();
  if (session.state.status === "signed-in" && !session.accessToken) await session.refresh();
  const again = request.clone();
  const response = await attempt(request);
  if (response.status !== 401) return response;
  const { code } = problemOf(await response.clone().json().catch(() => null), response);
  if (code === "TOKEN_EXPIRED") {
    await session.refresh();
    return attempt(again);
  }
  if (SIGNED_OUT_CODES.has(code)) session.end();
  return response;
}

async function attempt(request: Request): Promise<Response> {
  const token = session.accessToken;
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, session.signal]) });
  } catch (error) {
    throw networkProblem(error);
  }
}

const failures: Middleware = {
  onResponse: async ({ response }) => {
    if (!response.ok) throw problemOf(await response.json().catch(() => null), response);
  },
};

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: send });
api.use(failures);

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the `data` of an answer. */
export async function dataOf<Data>(call: Promise<{ data?: { data: Data } }>): Promise<Data> {
  const { data } = await call;
  if (!data) throw networkProblem("an answer without data");
  return data.data;
}

/** What was read, with the tag that a change of it is sent with: it is refused (412) where it has changed since. */
export type Tagged<Data> = Data & { tag?: string };

export async function taggedOf<Data>(call: Promise<{ data?: { data: Data }; response: Response }>): Promise<Tagged<Data>> {
  const data = await dataOf(call);
  return { ...data, tag: (await call).response.headers.get("ETag") ?? undefined };
}

/** The tag of a row of a list, which the API makes of its version. */
export const tagOf = (row: { version: number }): string => `"${row.version.toString(16)}"`;

/**
 * Send a step of what was read. Where it has changed since (412) read it again, and send the step once more
 * if all that the step depends on is the same; else the refusal stays.
 */
export async function sendStep<Row, Result>(row: Row, send: (row: Row) => Promise<Result>, reread: () => Promise<Row>, isSame: (fresh: Row) => boolean): Promise<Result> {
  try {
    return await send(row);
  } catch (error) {
    if (!isStale(error)) throw error;
    const fresh = await reread();
    if (!isSame(fresh)) throw error;
    return send(fresh);
  }
}

/** Return `data` and `pagination` of a list. */
export async function pageOf<Item>(
  call: Promise<{ data?: { data: Item[]; pagination: Schemas["Pagination"] } }>,
): Promise<{ items: Item[]; pagination: Schemas["Pagination"] }> {
  const { data } = await call;
  if (!data) throw networkProblem("an answer without data");
  return { items: data.data, pagination: data.pagination };
}

const PAGE_SIZE = 100; // the most the API answers at once

/** Return all items of a list, read page by page. */
export async function allOf<Item>(read: (query: { page: number; limit: number }) => Parameters<typeof pageOf<Item>>[0]): Promise<Item[]> {
  const all: Item[] = [];
  for (let page = 1; ; page += 1) {
    const { items, pagination } = await pageOf(read({ page, limit: PAGE_SIZE }));
    all.push(...items);
    if (page >= pagination.total_pages) return all;
  }
}

/** Return rows that were read at different moments, each once: of a row that was read twice, the newer version. */
export function distinct<Row extends { id: string; version: number }>(rows: Row[]): Row[] {
  const newest = new Map<string, Row>();
  for (const row of rows) if (row.version >= (newest.get(row.id)?.version ?? 0)) newest.set(row.id, row);
  return [...newest.values()];
}
