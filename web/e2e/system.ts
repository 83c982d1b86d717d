// The LUNA under test: its API, and its processes, which the scenarios kill or suspend.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { BrowserContextOptions } from "@playwright/test";
import { LIBRARIAN, type Person } from "./people";

interface Service { name: string; pid: number | null }

function services(): Service[] {
  const luna = join(import.meta.dirname, "../../luna");
  return (JSON.parse(execFileSync(luna, ["status", "--json"], { encoding: "utf8" })) as { services: Service[] }).services;
}

export function pidOf(name: string): number {
  const pid = services().find((each) => each.name === name)?.pid;
  if (!pid) throw new Error(`${name} is not running`);
  return pid;
}

/** Suspend a process: its connections stay open and silent, as after a fault of the network. */
export function suspended(name: string): { resume: () => void } {
  const pid = pidOf(name);
  process.kill(pid, "SIGSTOP");
  return { resume: () => void (isRunning(pid) && process.kill(pid, "SIGCONT")) };
}

/** Whether the process is still there: what stays suspended for long is started anew. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Kill a process and each of its successors until told to stop. */
export function keptDown(name: string): { stop: () => void } {
  const kill = () => {
    try {
      process.kill(pidOf(name), "SIGKILL");
    } catch {
      // it is being started
    }
  };
  kill();
  const timer = setInterval(kill, 1000);
  return { stop: () => clearInterval(timer) };
}

async function send(to: string, how: string, token: string, content?: object): Promise<unknown> {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${process.env.LUNA_ADDRESS ?? ""}/api/v1${to}`, { method: how, headers, body: content && JSON.stringify(content) });
  const answer = (await response.json()) as { data: unknown; error?: { message: string } };
  if (!response.ok) throw new Error(`${how} ${to}: ${answer.error?.message ?? response.status}`);
  return answer.data;
}

/** Call the API as a person, beside the pages. */
export async function call<Data>(person: Person, method: string, path: string, body?: object): Promise<Data> {
  const token = tokens.get(person.email) ?? ((await send("/auth/login", "POST", "", { email: person.email, password: person.password })) as { access_token: string }).access_token;
  tokens.set(person.email, token);
  return (await send(path, method, token, body)) as Data;
}

/** The profile of a browser in which a person has signed in: the cookie, and the mark that there is one. */
export async function signedIn({ email, password }: Person): Promise<Exclude<BrowserContextOptions["storageState"], string>> {
  const { origin, hostname } = new URL(process.env.LUNA_ADDRESS ?? "");
  const headers = { "Content-Type": "application/json", "X-LUNA-Client": "web", Origin: origin };
  const response = await fetch(`${origin}/api/v1/auth/login`, { method: "POST", headers, body: JSON.stringify({ email, password }) });
  const cookies = response.headers.getSetCookie().map((line) => {
    const [, name = "", value = "", path = "/"] = /^([^=]+)=([^;]*);.*Path=([^;]+)/i.exec(line) ?? [];
    return { name, value, path, domain: hostname, expires: -1, httpOnly: true, secure: false, sameSite: "Strict" as const };
  });
  if (!response.ok || !cookies.length) throw new Error(`${email} cannot sign in: ${response.status}`);
  return { cookies, origins: [{ origin, localStorage: [{ name: "luna.session", value: "1" }] }] };
}

const tokens = new Map<string, string>(); // of this worker: signing in is limited

export interface Copy { bookId: string; barcode: string; title: string }

export interface Student extends Person { name: string }

/** A student with an account of their own, so that tests beside each other meet no common limits. */
export async function newStudent(first_name: string, last_name: string): Promise<Student> {
  const person = { email: `${crypto.randomUUID()}@luna.example`, password: "Harbour-51-violin" };
  const { access_token: token } = (await send("/auth/register", "POST", "", { ...person, first_name, last_name })) as { access_token: string };
  tokens.set(person.email, token);
  return { ...person, name: `${first_name} ${last_name}` };
}

const SPARES = ["Vehicles", "Gravitation", "Das Kapital", "Being and Time", "Abstract Algebra", "The Human Condition"]; // with one copy each

/** A copy of a title that is on its shelf; of a spare one where an attempt that failed has left it elsewhere. */
export async function copyOf(title: string, [spare, ...others]: string[] = SPARES): Promise<Copy> {
  const [book] = await call<{ id: string; title: string }[]>(LIBRARIAN, "GET", `/books?limit=1&q=${encodeURIComponent(title)}`);
  const copies = await call<{ barcode: string; custody: string }[]>(LIBRARIAN, "GET", `/books/${book?.id}/copies?limit=100`);
  const copy = copies.find((each) => each.custody === "ON_SHELF");
  if (book && copy) return { bookId: book.id, barcode: copy.barcode, title: book.title };
  if (!spare) throw new Error(`no copy of ${title} is on its shelf`);
  return copyOf(spare, others);
}

/** Request a book for a person, to a place. */
export function requested(person: Person, bookId: string, place: string): Promise<{ id: string; task: { id: string; reference: string } }> {
  return call(person, "POST", "/requests", { book_id: bookId, request_location: place });
}

/** Close what a person has open: requests and loans of earlier tests. */
export async function cleared(person: Person): Promise<void> {
  for (const { id, status } of await call<{ id: string; status: string }[]>(person, "GET", "/requests?limit=100"))
    if (!["COMPLETED", "CANCELLED"].includes(status)) await call(person, "PUT", `/requests/${id}/cancel`, {}).catch(() => undefined);
  for (const { barcode, returned_at } of await call<{ barcode: string; returned_at: string | null }[]>(person, "GET", "/loans?limit=100"))
    if (!returned_at) await call(LIBRARIAN, "POST", "/loans/check-in", { copy_barcode: barcode });
}
