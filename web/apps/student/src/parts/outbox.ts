// Writes that may wait for a connection: marking messages as read, and preferences. Sent in order.
import { ApiProblem, live } from "@luna/api";
import { useSyncExternalStore } from "react";

const STORED = "luna.outbox";
const LOCK = "luna.outbox";

/** `tag`: of what was read; a write that waited is sent without, since nobody sees its refusal. */
export interface Write { kind: string; id?: string; body?: unknown; tag?: string }
type Send = (write: Write) => Promise<unknown>;

const senders = new Map<string, Send>();
const listeners = new Set<() => void>();
let sending = false;
let size = waiting().length;

function waiting(): Write[] {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "[]") as Write[];
  } catch {
    return []; // written by another version
  }
}

function store(writes: Write[]): void {
  if (writes.length) localStorage.setItem(STORED, JSON.stringify(writes));
  else localStorage.removeItem(STORED);
  count();
}

/** Say how many writes wait, also after another tab has sent or kept one. */
function count(): void {
  size = waiting().length;
  for (const listener of listeners) listener();
}

/** Say how writes of a kind are sent; needed before any is. */
export function sendsWrites(kind: string, send: Send): void {
  senders.set(kind, send);
}

/** Send now, or keep the write until there is a connection. */
export async function sendOrKeep(write: Write): Promise<void> {
  try {
    await senders.get(write.kind)?.(write);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    const same = (each: Write) => each.kind === write.kind && each.id === write.id;
    store([...waiting().filter((each) => !same(each)), { ...write, tag: undefined }]);
  }
}

/** Send what waits, in order and from one tab; a refused write is dropped, since repeating it cannot help. */
export async function sendWaiting(): Promise<void> {
  if (sending) return;
  sending = true;
  try {
    await (navigator.locks ? navigator.locks.request(LOCK, sendAll) : sendAll());
  } finally {
    sending = false;
  }
}

async function sendAll(): Promise<void> {
  for (let [next] = waiting(); next; [next] = waiting()) {
    try {
      await senders.get(next.kind)?.(next);
    } catch (error) {
      if (isUnreachable(error)) return;
    }
    const sent = JSON.stringify(next);
    store(waiting().filter((each) => JSON.stringify(each) !== sent)); // not one that has taken its place meanwhile
  }
}

export function clearOutbox(): void {
  store([]);
}

/** How many writes wait for a connection. */
export function useOutboxSize(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => size,
  );
}

function isUnreachable(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 0 || error.status >= 502);
}

live.subscribe(() => {
  if (live.status === "live") void sendWaiting();
});

window.addEventListener("storage", ({ key }) => {
  if (key === STORED || key === null) count();
});
