// Searching while somebody types.
import { useDebouncedCallback } from "@mantine/hooks";

const TYPING_PAUSE = 250; // ms

/** Search once per pause; not when a link has been followed since, which the search would take back. */
export function useSearchAsTyped(search: (text: string) => void): (text: string) => void {
  const later = useDebouncedCallback((text: string, path: string) => {
    if (location.pathname === path) search(text.trim());
  }, TYPING_PAUSE);
  return (text) => later(text, location.pathname);
}
