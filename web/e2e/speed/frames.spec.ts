// Work of the main thread per frame while 200 robots drive and 300 deliveries are open (replayed),
// and how soon a position that arrives is on the map.
import type { Browser, Page } from "@playwright/test";
import { DESK, expect, LIBRARIAN, test } from "../fixtures";
import { holds } from "./machine";

const ROBOTS = 200;
const TASKS = 300;
const MEASURED = 6000; // ms
const FRAME = 1000 / 60;
const MAX_WORK = 16; // ms a frame, p95
const MAX_DELAY = 500; // ms from a position sent to its mark, p95
const NOW = new Date().toISOString();
const META = { meta: { request_id: "req_replayed", timestamp: NOW } };

const robotId = (index: number) => `00000000-0000-7000-8000-${String(index).padStart(12, "0")}`;
const pose = (index: number, step: number) => ({ x: (index * 1.7 + step * 0.4) % 40, y: (index * 2.3) % 24, theta: (index + step) % 6, floor: 1 });

function robot(index: number) {
  return {
    id: robotId(index), robot_name: `luna-bot-${index}`, status: "NAVIGATING", connectivity: "ONLINE", online: true, current_location: null, pose: pose(index, 0),
    battery_level: 0.8, charging: false, docked: false, speed: 0.4, model: "replayed", software_version: "1", current_task_id: null, last_heartbeat: NOW,
    stopped: false, stop_state: null, stop_reason: null, created_at: NOW,
  };
}

function task(index: number) {
  return {
    id: robotId(10_000 + index), reference: `D-${index}`, task_type: "STUDENT_DELIVERY", status: "QUEUED", stage: null, priority: "NORMAL", request_id: robotId(20_000 + index),
    return_id: null, book_id: robotId(30_000 + index), book_title: `A replayed title of some length, number ${index}`, copy_id: robotId(40_000 + index), copy_barcode: `LB${index}`,
    source_location: "Circulation Desk", destination_location: "Study Room 201", assigned_robot_id: null, robot_name: null, eta: null, attempt: 1, created_at: NOW,
    failure_reason: null, waiting_reason: "ROBOTS_BUSY", version: 1,
  };
}

/** Answer a list in pages, as the API does. */
async function answers(page: Page, address: string, rows: (query: URLSearchParams) => object[]): Promise<void> {
  await page.route(address, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const all = rows(query);
    const limit = Number(query.get("limit") ?? 20);
    const number = Number(query.get("page") ?? 1);
    const pagination = { page: number, limit, total: all.length, total_pages: Math.max(1, Math.ceil(all.length / limit)) };
    return route.fulfill({ json: { success: true, data: all.slice((number - 1) * limit, number * limit), pagination, ...META } });
  });
}

/** Play the server's part on the socket: snapshots, 200 positions a second, a changed delivery a second. */
async function replays(page: Page): Promise<void> {
  await page.routeWebSocket("**/notifications/ws", (socket) => {
    const send = (type: string, topic: string | null, more: object = {}) => socket.send(JSON.stringify({ v: 1, type, topic, pos: null, event: null, at: NOW, data: null, ...more }));
    let step = 0;
    socket.onMessage((text) => {
      const { action, topics = [] } = JSON.parse(String(text)) as { action: string; topics?: string[] };
      if (action === "ping") send("pong", null);
      if (action === "subscribe") for (const topic of topics) send("snapshot", topic, { pos: 1, data: {} });
    });
    const timer = setInterval(() => {
      step += 1;
      for (let index = step % 10; index < ROBOTS; index += 10) send("event", "robots", { event: "robot.position", data: report(index, step) });
      if (step % 10 === 0) send("event", "deliveries", { pos: 1 + step, event: "delivery.task.queued", data: { task_id: robotId(10_000 + (step % TASKS)), priority: "HIGH" } });
    }, 100);
    socket.onClose(() => clearInterval(timer));
  });
}

/** What a heartbeat reports, as the live view sends it. */
function report(index: number, step: number): object {
  if (index < OBSERVED) sentAt.push([index, Date.now()]);
  return { id: robotId(index), pose: pose(index, step), status: "NAVIGATING", battery_level: 0.8, charging: false, docked: false, speed: 0.4, current_location: null, last_heartbeat: new Date().toISOString() };
}

const OBSERVED = 10; // robots whose way to the map is timed
const sentAt: [index: number, at: number][] = [];

/** Note when the observed robots' marks move, in ms of this machine's clock. */
async function observeMoves(page: Page): Promise<void> {
  await page.evaluate((count) => {
    const marks = [...document.querySelectorAll(".map .robot")].slice(0, count);
    const moves: [number, number][] = [];
    Object.assign(globalThis, { moves });
    const observer = new MutationObserver((records) => moves.push(...records.map(({ target }): [number, number] => [marks.indexOf(target as Element), performance.timeOrigin + performance.now()])));
    for (const mark of marks) observer.observe(mark, { attributes: true, attributeFilter: ["style"] });
  }, OBSERVED);
}

/** From each position that was sent to the move it caused, in ms, ascending. */
async function delays(page: Page): Promise<number[]> {
  const moves = await page.evaluate(() => (globalThis as unknown as { moves: [number, number][] }).moves);
  const found = moves.map(([index, at]) => at - Math.max(...sentAt.filter(([sent, when]) => sent === index && when <= at).map(([, when]) => when)));
  return found.filter(Number.isFinite).sort((one, other) => one - other);
}

/** Of figures in ascending order. */
const percentile95 = (figures: number[]): number => figures[Math.floor(figures.length * 0.95)] ?? Infinity;

interface TraceEvent { name: string; ph: string; ts: number; dur?: number; tdur?: number; pid: number; tid: number; args: { name?: string } }

/** Processor time of a task in µs: what else the machine does is no work of the page. */
const work = ({ tdur, dur = 0 }: TraceEvent): number => tdur ?? dur;
const hasThreadTime = (events: TraceEvent[]): boolean => events.some(({ tdur }) => tdur !== undefined);

/** The work of the page's main thread in each frame that has any, in ms, ascending. */
async function workPerFrame(browser: Browser, page: Page): Promise<number[]> {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata", "devtools.timeline"] });
  await page.evaluate((span) => new Promise((resolve) => setTimeout(resolve, span)), MEASURED);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mains = traceEvents.filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain");
  const perThread = mains.map(({ pid, tid }) => traceEvents.filter((event) => event.pid === pid && event.tid === tid && event.ph === "X" && /RunTask$/.test(event.name)));
  const total = (events: TraceEvent[]) => events.reduce((sum, event) => sum + work(event), 0);
  const tasks = perThread.sort((one, other) => total(other) - total(one))[0] ?? [];
  expect(hasThreadTime(tasks), "the trace holds processor times").toBe(true);
  const frames = new Map<number, number>();
  for (const task of tasks) {
    const frame = Math.floor(task.ts / 1000 / FRAME);
    frames.set(frame, (frames.get(frame) ?? 0) + work(task) / 1000);
  }
  return [...frames.values()].sort((one, other) => one - other);
}

for (const [name, path, ready] of [["map", "/staff/map", ".map .robot"], ["board", "/staff/", ".task-card"]] as const) {
  test(`${name}: 95 % of the frames need at most ${MAX_WORK} ms of the main thread`, async ({ open, browser }) => {
    test.setTimeout(240_000);
    const page = await open(LIBRARIAN, "/staff/pick-list", { viewport: DESK });
    await answers(page, "**/api/v1/robot/status?*", () => Array.from({ length: ROBOTS }, (_, index) => robot(index)));
    await answers(page, "**/api/v1/deliveries?*", (query) => (query.get("status") === "QUEUED" ? Array.from({ length: TASKS }, (_, index) => task(index)) : []));
    await replays(page);
    await page.goto(path);
    await page.locator(ready).nth(150).waitFor({ state: "attached" });
    await holds(MAX_WORK, "ms of the main thread a frame, p95", async () => {
      const frames = await workPerFrame(browser, page);
      const p95 = percentile95(frames);
      process.stdout.write(`  ${name}: main thread p50 ${(frames[frames.length >> 1] ?? 0).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms a frame, ${frames.length} frames with work in ${MEASURED / 1000} s\n`);
      expect(frames.length).toBeGreaterThan(30);
      return p95;
    });
    if (name !== "map") return;
    await holds(MAX_DELAY, "ms from a position to its mark, p95", async () => {
      sentAt.length = 0;
      await observeMoves(page);
      await page.evaluate((span) => new Promise((resolve) => setTimeout(resolve, span)), MEASURED);
      const shown = await delays(page);
      process.stdout.write(`  map: a position is drawn p95 ${percentile95(shown).toFixed(0)} ms after it was sent, ${shown.length} moves\n`);
      expect(shown.length).toBeGreaterThan(20);
      return percentile95(shown);
    });
  });
}
