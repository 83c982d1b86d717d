// What stays readable without a connection (web.md §7): loans, open requests and returns with their
// code, for the user who is signed in, for 24 hours. Signing out deletes it.
import type { User } from "@luna/api";
import type { QueryClient, QueryKey } from "@tanstack/react-query";

const STORED = "luna.offline";
const MAX_AGE = 86_400_000; // ms
const SAVE_DELAY = 1000;
const KEPT = new Set(["loans", "returns", "return", "requests", "request", "places", "floors", "holds", "loan-summary"]);

interface Entry { key: QueryKey; data: unknown; at: number }
interface Stored { user: User; entries: Entry[] }

/** The user of the stored data, where it is not too old. */
export function offlineUser(): User | null {
  return stored()?.user ?? null;
}

/** Put the stored data into the cache, each with the moment it was fetched. */
export function restoreOffline(client: QueryClient, userId: string): void {
  const found = stored();
  if (found?.user.id !== userId) return clearOffline();
  for (const { key, data, at } of found.entries) client.setQueryData(key, data, { updatedAt: at });
}

/** Store the data again whenever it changes, at most once a second; return how to end that. */
export function keepOffline(client: QueryClient, user: () => User | null): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const save = () => {
    timer = undefined;
    const owner = user();
    if (owner) localStorage.setItem(STORED, JSON.stringify({ user: owner, entries: entriesOf(client) } satisfies Stored));
  };
  const off = client.getQueryCache().subscribe((event) => {
    if (event.type === "updated" && isKept(event.query.queryKey)) timer ??= setTimeout(save, SAVE_DELAY);
  });
  return () => {
    off();
    clearTimeout(timer);
  };
}

export function clearOffline(): void {
  localStorage.removeItem(STORED);
}

function isKept(key: QueryKey): boolean {
  return KEPT.has(String(key[0]));
}

function entriesOf(client: QueryClient): Entry[] {
  return client.getQueryCache().getAll()
    .filter(({ queryKey, state }) => isKept(queryKey) && state.data !== undefined)
    .map(({ queryKey, state }) => ({ key: queryKey, data: state.data, at: state.dataUpdatedAt }));
}

function stored(): Stored | null {
  try {
    const found = JSON.parse(localStorage.getItem(STORED) ?? "null") as Stored | null;
    const entries = found?.entries.filter(({ at }) => Date.now() - at < MAX_AGE);
    return found && entries?.length ? { user: found.user, entries } : null;
  } catch {
    return null; // written by another version
  }
}
