import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { api, PUBLIC } from "./client";
import { session, type User } from "./session";

let keys: (string | null)[];
let answers: (Response | Error)[];

beforeEach(() => {
  keys = [];
  answers = [];
  session.adopt({ access_token: "a1", refresh_token: null, expires_in: 3600 });
  session.setUser({ id: "u" } as User);
  vi.stubGlobal("fetch", (request: Request) => {
    keys.push(request.headers.get("Idempotency-Key"));
    const answer = answers.shift() ?? Response.json({ success: true, data: {} }, { status: 201 });
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
});

const holds = (book_id: string) => api.POST("/api/v1/holds", { body: { book_id } }).catch((error: unknown) => error);

test("a write whose answer is lost carries the same key when it is sent again, and then a new one", async () => {
  answers = [new Error("connection lost"), Response.json({}, { status: 503 })];
  for (let attempt = 0; attempt < 4; attempt += 1) await holds("b1");
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys.slice(0, 3)).toEqual([keys[0], keys[0], keys[0]]);
  expect(keys[3]).not.toBe(keys[0]);
});

test("a refusal is an answer: the next attempt is another one", async () => {
  answers = [Response.json({ success: false, error: { code: "HOLD_LIMIT", message: "Too many." } }, { status: 409 })];
  await holds("b1");
  await holds("b1");
  expect(keys[1]).not.toBe(keys[0]);
});

test("two presses at once carry one key, two different writes carry two", async () => {
  await Promise.all([holds("b1"), holds("b1"), holds("b2")]);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test("calls that are under way end when somebody signs out", async () => {
  const aborted: boolean[] = [];
  vi.stubGlobal("fetch", (_request: Request | string, init?: RequestInit) => {
    if (typeof _request === "string") return Promise.resolve(Response.json({}));
    return new Promise((_, reject) => init?.signal?.addEventListener("abort", () => { aborted.push(true); reject(new Error("aborted")); }));
  });
  const reading = api.GET("/api/v1/loans").catch((error: unknown) => error);
  await vi.waitFor(() => Promise.resolve());
  await session.signOut();
  expect(await reading).toMatchObject({ code: "NETWORK" });
  expect(aborted).toEqual([true]);
});

test("nothing that needs a session is sent once somebody signs out, not even before the server has answered", async () => {
  const sent: string[] = [];
  let answer: (response: Response) => void = () => undefined;
  vi.stubGlobal("fetch", (request: Request | string) => {
    sent.push(typeof request === "string" ? request : new URL(request.url).pathname);
    return typeof request === "string" ? new Promise<Response>((resolve) => { answer = resolve; }) : Promise.resolve(Response.json({ success: true, data: {} }));
  });
  const leaving = session.signOut();
  expect(session.state.status).toBe("signed-out");
  await expect(api.GET("/api/v1/loans")).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  await expect(holds("b1")).resolves.toMatchObject({ code: "UNAUTHENTICATED" });
  await expect(session.refresh()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  await api.GET("/api/v1/auth/client-settings");
  expect(sent).toEqual(["/api/v1/auth/logout", "/api/v1/auth/client-settings"]);
  answer(Response.json({}));
  await leaving;
  await expect(api.GET("/api/v1/loans")).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

test("what is called without a session is public in the API", () => {
  const { paths } = JSON.parse(readFileSync(join(import.meta.dirname, "../../../../docs/openapi.json"), "utf8")) as { paths: Record<string, Record<string, { security?: unknown }>> };
  const found = Object.entries(paths).filter(([path]) => PUBLIC.test(path)).flatMap(([, methods]) => Object.values(methods));
  expect(found.length).toBe(4);
  expect(found.filter(({ security }) => security)).toEqual([]);
});
