// What is typed, beside the address that it ends in.
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

const TYPING_PAUSE = 250; // ms

/**
 * The text of a field and how it is changed. `onChange` gets it once per pause, and not when a link has been followed
 * since, which it would take back; where `value` becomes another by other means, as by a link, the field shows that.
 */
export function useTyped(value: string, onChange: (text: string) => void): [string, (text: string) => void] {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [awaited, setAwaited] = useState<string | null>(null); // typed, and not in `value` yet
  const later = useDebouncedCallback((typed: string, path: string) => {
    if (location.pathname === path) onChange(typed);
  }, TYPING_PAUSE);
  if (value !== seen) {
    setSeen(value);
    if (value === awaited) setAwaited(null);
    else if (awaited === null) setText(value);
  }
  const type = (next: string) => {
    setText(next);
    setAwaited(next.trim() === value ? null : next.trim());
    later(next.trim(), location.pathname);
  };
  return [text, type];
}
