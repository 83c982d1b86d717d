import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Live, type LiveMessage } from "./live";

class FakeSocket extends EventTarget {
  static OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 1;
  sent: { action: string; topics?: string[] }[] = [];
  constructor() {
    super();
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as FakeSocket["sent"][number]);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.dispatchEvent(new Event("open"));
  }
  receive(message: Partial<LiveMessage>): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify({ pos: null, event: null, ...message }) }));
  }
  drop(code = 1006): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

const lives: Live[] = [];
const last = () => FakeSocket.all.at(-1) as FakeSocket;

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ success: true, data: { ticket: "t", expires_in: 30 } })));
});
afterEach(() => {
  for (const live of lives.splice(0)) live.stop();
  vi.useRealTimers();
});

async function connected(): Promise<Live> {
  const live = new Live();
  lives.push(live);
  live.start();
  await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(1));
  last().open();
  return live;
}

test("topics are subscribed when the socket opens and again after a break", async () => {
  const live = await connected();
  live.on("me", () => undefined);
  expect(last().sent.at(-1)).toEqual({ action: "subscribe", topics: ["me"] });
  last().receive({ type: "pong" });
  expect(live.status).toBe("live");

  last().drop();
  expect(live.status).toBe("reconnecting");
  await vi.advanceTimersByTimeAsync(400);
  expect(FakeSocket.all).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(700);
  expect(FakeSocket.all).toHaveLength(2);
  last().open();
  expect(last().sent[0]).toEqual({ action: "subscribe", topics: ["me"] });
});

test("a change that is known is dropped, a position never", async () => {
  const live = await connected();
  const seen: LiveMessage[] = [];
  live.on("me", (message) => seen.push(message));
  last().receive({ type: "snapshot", topic: "me", pos: 7 });
  last().receive({ type: "event", topic: "me", pos: 7, event: "old" });
  last().receive({ type: "event", topic: "me", pos: 8, event: "new" });
  last().receive({ type: "event", topic: "me", pos: null, event: "robot.position" });
  expect(seen.map((message) => message.event)).toEqual([null, "new", "robot.position"]);
});

test("after a resync the data is not current until each topic's next snapshot", async () => {
  const live = await connected();
  live.on("me", () => undefined);
  const leave = live.on("robots", () => undefined);
  last().receive({ type: "pong" });
  last().receive({ type: "resync", topic: "me" });
  last().receive({ type: "resync", topic: "robots" });
  last().receive({ type: "pong" });
  expect(live.status).toBe("reconnecting");
  last().receive({ type: "snapshot", topic: "me", pos: 3 });
  expect(live.status).toBe("reconnecting");
  leave();
  last().receive({ type: "pong" });
  expect(live.status).toBe("live");
});

test("a silent socket is replaced", async () => {
  await connected();
  last().receive({ type: "pong" });
  await vi.advanceTimersByTimeAsync(39_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(last().sent.filter(({ action }) => action === "ping")).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(7000);
  expect(FakeSocket.all.length).toBeGreaterThan(1);
});

test("after the device woke up, a socket that answers is kept and a silent one replaced", async () => {
  await connected();
  last().receive({ type: "pong" });
  await vi.advanceTimersByTimeAsync(5000);
  document.dispatchEvent(new Event("visibilitychange"));
  last().receive({ type: "pong" });
  await vi.advanceTimersByTimeAsync(2000);
  expect(FakeSocket.all).toHaveLength(1);
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(2000);
  expect(FakeSocket.all).toHaveLength(2);
});

test("the pauses between attempts grow and stay below 15 s", async () => {
  await connected();
  last().drop();
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const before = FakeSocket.all.length;
    await vi.advanceTimersByTimeAsync(15_100);
    expect(FakeSocket.all.length).toBeGreaterThan(before);
    last().drop();
  }
});

test("a socket that is closed because the session is over is opened again after a refresh", async () => {
  const calls: string[] = [];
  vi.stubGlobal("fetch", (input: Request | string) => {
    calls.push(new URL(typeof input === "string" ? input : input.url, location.origin).pathname);
    return Promise.resolve(Response.json({ success: true, data: { ticket: "t", access_token: "a", refresh_token: null, expires_in: 900 } }));
  });
  await connected();
  last().receive({ type: "pong" });
  calls.length = 0;
  last().drop(4401);
  await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(2));
  expect(calls.slice(0, 2)).toEqual(["/api/v1/auth/refresh", "/api/v1/notifications/ws-ticket"]);
});
