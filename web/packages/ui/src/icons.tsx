// Line icons on a 24 px grid; decoration only, so they are hidden from screen readers.
import type { ReactNode } from "react";

const SHAPES = {
  search: <><circle cx="11" cy="11" r="7" /><path d="m20 20-4-4" /></>,
  robot: <><rect x="4" y="9" width="16" height="10" rx="3" /><path d="M12 9V5M9 14h.01M15 14h.01M7 19v2M17 19v2" /><circle cx="12" cy="4" r="1" /></>,
  book: <path d="M5 4.500A1.500 1.500 0 0 1 6.500 3H19v18H6.500A1.500 1.500 0 0 1 5 19.500v-15ZM5 18h14" />,
  books: <path d="M4 4h4v16H4zM10 4h4v16h-4zM16.500 5l3.500-1 3 15-3.500 1z" />,
  bell: <path d="M6 10a6 6 0 1 1 12 0c0 5 2 6 2 6H4s2-1 2-6M10 20a2 2 0 0 0 4 0" />,
  person: <><circle cx="12" cy="8" r="4" /><path d="M4 21a8 8 0 0 1 16 0" /></>,
  people: <><circle cx="9" cy="8" r="3.500" /><path d="M2.500 20a6.500 6.500 0 0 1 13 0M16 5a3.500 3.500 0 0 1 0 6.500M18 14a6 6 0 0 1 3.500 6" /></>,
  clock: <><circle cx="12" cy="12" r="9" /><path d="M12 7v5l3 2" /></>,
  check: <path d="m4 12.500 5 5L20 6.500" />,
  alert: <path d="M12 3 2 20h20L12 3ZM12 10v4M12 17h.01" />,
  cross: <path d="M6 6l12 12M18 6 6 18" />,
  back: <path d="M15 5l-7 7 7 7" />,
  next: <path d="m9 5 7 7-7 7" />,
  place: <><path d="M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21Z" /><circle cx="12" cy="9.500" r="2.500" /></>,
  arrow: <path d="M4 12h15M13 6l6 6-6 6" />,
  map: <path d="m3 6 6-2 6 2 6-2v14l-6 2-6-2-6 2V6ZM9 4v14M15 6v14" />,
  list: <path d="M8 6h13M8 12h13M8 18h13M3.500 6h.01M3.500 12h.01M3.500 18h.01" />,
  board: <path d="M4 4h4v16H4zM10 4h4v10h-4zM16 4h4v13h-4z" />,
  scan: <path d="M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M8 8v8M12 8v8M16 8v8" />,
  upload: <path d="M12 16V4M7 9l5-5 5 5M4 20h16" />,
  stop: <path d="M8 3h8l5 5v8l-5 5H8l-5-5V8zM8.500 12h7" />,
  play: <path d="M7 4v16l13-8z" />,
  battery: <><rect x="2" y="8" width="17" height="9" rx="2" /><path d="M22 11v3" /></>,
  offline: <path d="M3 3l18 18M9 17.500a4 4 0 0 1 6 0M5.500 13.500a9 9 0 0 1 4-2.300M2 9.500A14 14 0 0 1 7 6.500M22 9.500a14 14 0 0 0-10-4M18.500 13.500a9 9 0 0 0-2-1.500" />,
  lock: <><rect x="5" y="11" width="14" height="10" rx="2" /><path d="M8 11V8a4 4 0 0 1 8 0v3" /></>,
  return: <path d="M9 14l-5-5 5-5M4 9h10a6 6 0 0 1 0 12H9" />,
  plus: <path d="M12 5v14M5 12h14" />,
  edit: <path d="M4 20h4L20 8l-4-4L4 16v4Z" />,
  desk: <path d="M3 9h18M5 9v11M19 9v11M14 9v5h5M9 4h6v5H9z" />,
  menu: <path d="M4 6h16M4 12h16M4 18h16" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof SHAPES;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
      strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true"
    >
      {SHAPES[name]}
    </svg>
  );
}
