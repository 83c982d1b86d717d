/**
 * Reads that begin before the application's code has come: a page on a slow phone then waits for
 * code and data at once, not for one after the other. Each answer is used once.
 */
import { session } from "./session";

const PUBLIC = "/api/v1/auth/client-settings";
const begun = new Map<string, Promise<Response>>();

/** The first script runs as soon as it has come, perhaps before the page has been read to its end. */
export function parsed(): Promise<unknown> {
  return document.readyState === "loading" ? new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve)) : Promise.resolve();
}

/** Begin to read the public settings, and these addresses as soon as the session is continued. */
export function readEarly(addresses: string[]): void {
  keep(PUBLIC, fetch(PUBLIC));
  if (!session.isExpected) return;
  const signedIn = session.begin();
  for (const address of addresses)
    keep(address, signedIn.then(() => fetch(address, { headers: { Authorization: `Bearer ${session.accessToken ?? ""}` } })));
}

function keep(address: string, answer: Promise<Response>): void {
  answer.catch(() => undefined); // the reader sends it again, and reports that failure
  begun.set(new URL(address, location.origin).href, answer);
}

/** Take the answer that was begun for an address; only one that succeeded is worth having. */
export async function takeEarly(request: Request): Promise<Response | null> {
  const answer = request.method === "GET" ? begun.get(request.url) : undefined;
  if (!answer) return null;
  begun.delete(request.url);
  return answer.then((response) => (response.ok ? response : null), () => null);
}
