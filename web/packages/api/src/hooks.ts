/** Session and live view in React. */
import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { live, type Handler, type LiveMessage, type LiveStatus } from "./live";
import { session, type SessionState, type User } from "./session";

const BURST = 150; // ms in which changes are answered by one refetch
const MIN_INTERVAL = 1000; // ms between two refetches of the same query

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, () => session.state);
}

/** The user who is signed in; only below a page that requires one. */
export function useUser(): User {
  const state = useSession();
  if (!("user" in state)) throw new Error("not signed in");
  return state.user;
}

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(live.subscribe, () => live.status);
}

/** Refetch these queries whenever the topic changes; `handle` also receives each message. */
export function useTopic(topic: string | null, keys: QueryKey[], handle?: Handler): void {
  const client = useQueryClient();
  const latest = useRef({ keys, handle });
  useEffect(() => {
    latest.current = { keys, handle };
  });
  useEffect(() => {
    if (!topic) return;
    const refetchedAt = new Map<string, number>();
    const pending = new Map<string, ReturnType<typeof setTimeout>>();
    const refetch = (queryKey: QueryKey) => {
      const name = JSON.stringify(queryKey);
      if (pending.has(name)) return; // one refetch for a burst of changes
      const run = () => {
        pending.delete(name);
        refetchedAt.set(name, Date.now());
        void client.invalidateQueries({ queryKey });
      };
      const rest = MIN_INTERVAL - (Date.now() - (refetchedAt.get(name) ?? 0));
      pending.set(name, setTimeout(run, Math.max(BURST, rest)));
    };
    const off = live.on(topic, (message: LiveMessage) => {
      latest.current.handle?.(message);
      if (message.event === "robot.position" || message.type === "error") return;
      // The first snapshot too: what was read before it may lack a change that no event reports here.
      for (const queryKey of latest.current.keys) refetch(queryKey);
    });
    return () => {
      off();
      for (const timer of pending.values()) clearTimeout(timer);
    };
  }, [topic, client]);
}
