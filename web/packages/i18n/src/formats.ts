/** Dates, times and spans in the chosen language and in the library's time zone. */
import i18next from "i18next";

let timeZone: string | undefined; // the browser's, until the library's is known

export function setTimeZone(name: string): void {
  timeZone = name;
}

const formatters = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>();

/** One formatter for each form: to make one takes far longer than to use it. */
function kept<Formatter extends Intl.DateTimeFormat | Intl.NumberFormat>(form: object, make: () => Formatter): Formatter {
  const key = JSON.stringify([locale(), form]);
  const found = formatters.get(key) ?? make();
  formatters.set(key, found);
  return found as Formatter;
}

function format(iso: string, form: Intl.DateTimeFormatOptions): string {
  const options = { ...form, timeZone };
  return kept(options, () => new Intl.DateTimeFormat(locale(), options)).format(new Date(iso));
}

function formatIn(options: Intl.NumberFormatOptions, value: number): string {
  return kept(options, () => new Intl.NumberFormat(locale(), options)).format(value);
}

/** The moment at which the library's clocks show a time (HH:MM:SS) of a day (YYYY-MM-DD). */
export function momentOf(day: string, time: string): string {
  const wanted = Date.parse(`${day}T${time}Z`);
  const shown = (at: number) => Date.parse(`${new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone }).format(at).replace(" ", "T")}Z`);
  const guess = wanted - (shown(wanted) - wanted);
  return new Date(guess - (shown(guess) - wanted)).toISOString(); // the clocks may have been changed in between
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
  return formatIn({ style: "unit", unit, unitDisplay: "short" }, Math.floor(seconds / size));
}

/** “in 5 days”, “yesterday”: by the library's calendar, not by hours. */
export function formatDays(iso: string): string {
  const calendar = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone });
  const days = (Date.parse(calendar.format(new Date(iso))) - Date.parse(calendar.format(Date.now()))) / 86_400_000;
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(days, "day");
}

export function formatNumber(value: number): string {
  return formatIn({}, value);
}

/** A share between 0 and 1, such as a battery's charge. */
export function formatPercent(share: number): string {
  return formatIn({ style: "percent" }, share);
}
