/** Dates, times and spans in the chosen language and in the library's time zone. */
import i18next from "i18next";

let timeZone: string | undefined; // the browser's, until the library's is known

export function setTimeZone(name: string): void {
  timeZone = name;
}

function format(iso: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone }).format(new Date(iso));
}

function locale(): string {
  return i18next.language === "de" ? "de" : "en-GB";
}

export function formatTime(iso: string): string {
  return format(iso, { hour: "2-digit", minute: "2-digit" });
}

export function formatDate(iso: string): string {
  return format(iso, { weekday: "short", day: "numeric", month: "short" });
}

/** The time alone for today, else with the date. */
export function formatMoment(iso: string): string {
  const day: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit" };
  const today = format(new Date().toISOString(), day) === format(iso, day);
  return today ? formatTime(iso) : `${formatDate(iso)}, ${formatTime(iso)}`;
}

/** A span such as “12 s” or “3 min”; for ages, which never need more than one unit. */
export function formatAge(seconds: number): string {
  const unit = seconds < 60 ? "second" : seconds < 3600 ? "minute" : seconds < 86_400 ? "hour" : "day";
  const size = { second: 1, minute: 60, hour: 3600, day: 86_400 }[unit];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short" }).format(Math.floor(seconds / size));
}

/** “in 5 days”, “yesterday”. */
export function formatDays(iso: string): string {
  const days = Math.round((new Date(iso).getTime() - Date.now()) / 86_400_000);
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(days, "day");
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** A share between 0 and 1, such as a battery's charge. */
export function formatPercent(share: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent" }).format(share);
}
