/** Calls of the REST API, typed by docs/openapi.json. Every failure is an ApiProblem. */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";
import { takeEarly } from "./early";
import { ApiProblem, networkProblem, problemOf } from "./problems";
import { session } from "./session";

export type Schemas = components["schemas"];

const SIGNED_OUT_CODES = new Set(["UNAUTHENTICATED", "TOKEN_REVOKED", "INVALID_TOKEN", "ACCOUNT_INACTIVE"]);

/** Send with the token; on TOKEN_EXPIRED refresh once and send again. */
async function send(request: Request): Promise<Response> {
  const early = await takeEarly(request);
  if (early) return early;
  if (session.state.status === "expired") throw new ApiProblem("UNAUTHENTICATED", "", 401, ""); // until its user signs in again
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
    return await fetch(request);
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

/** A key that makes a repeated POST create only once. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}

/** Return the `data` of an answer. */
export async function dataOf<Data>(call: Promise<{ data?: { data: Data } }>): Promise<Data> {
  const { data } = await call;
  if (!data) throw networkProblem("an answer without data");
  return data.data;
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
