import { beforeEach, expect, test, vi } from "vitest";

const TOKENS = { access_token: "a1", refresh_token: null, expires_in: 3600 };
const at = (path: string) => new Request(new URL(path, location.origin));
let asked: [path: string, authorization: string | undefined][];

beforeEach(() => {
  vi.resetModules();
  localStorage.clear();
  asked = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    asked.push([path, (init?.headers as Record<string, string> | undefined)?.Authorization]);
    if (path.includes("refused")) return Promise.resolve(Response.json({}, { status: 403 }));
    return Promise.resolve(Response.json({ data: TOKENS }));
  });
});

test("a read that was begun early is used once, with the token", async () => {
  localStorage.setItem("luna.session", "1");
  const { readEarly, takeEarly } = await import("./early");
  readEarly(["/api/v1/books?page=1"]);
  expect((await takeEarly(at("/api/v1/books?page=1")))?.status).toBe(200);
  expect(await takeEarly(at("/api/v1/books?page=1"))).toBeNull();
  expect(await takeEarly(at("/api/v1/books?page=2"))).toBeNull();
  expect(asked).toContainEqual(["/api/v1/books?page=1", "Bearer a1"]);
});

test("an early read that is refused is read again", async () => {
  localStorage.setItem("luna.session", "1");
  const { readEarly, takeEarly } = await import("./early");
  readEarly(["/api/v1/refused"]);
  expect(await takeEarly(at("/api/v1/refused"))).toBeNull();
});

test("visitors read the public settings only", async () => {
  const { readEarly } = await import("./early");
  readEarly(["/api/v1/books?page=1"]);
  expect(asked.map(([path]) => path)).toEqual(["/api/v1/auth/client-settings"]);
});
