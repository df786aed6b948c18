import type { Amount, Schemas } from "../api/client";
import { texts } from "../texts";

/** The first of a browser's languages that is written as it should be; undefined: its own default. */
export function localeOf(languages: readonly string[]): string | undefined {
  return languages.find((language) => {
    try {
      return Intl.getCanonicalLocales(language).length > 0;
    } catch {
      return false;
    }
  });
}

// Figures and dates follow the browser, whatever language the texts are in.
const LOCALE = localeOf(navigator.languages);
const CALENDAR_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/**
 * Write an amount with its currency and the currency's own decimals.
 *
 * The digits are the API's text, so that no binary fraction comes between.
 */
export function money(amount: Amount, locale = LOCALE): string {
  const style = {
    style: "currency",
    currency: amount.currency,
    currencyDisplay: "code",
    minimumFractionDigits: amount.decimals,
    maximumFractionDigits: amount.decimals,
  } as const;
  const format = new Intl.NumberFormat(locale, style);
  const parts = format.formatToParts(amount.display as Intl.StringNumericLiteral);
  const number = parts
    .filter((part) => part.type !== "currency" && part.type !== "literal")
    .map((part) => part.value)
    .join("");
  return `${number} ${amount.currency}`;
}

/** Write a calendar date; it is the same day in every time zone. */
export function calendarDate(date: string | null): string {
  const parts = date?.match(CALENDAR_DATE);
  if (!parts) {
    return NOTHING;
  }
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const noon = Date.UTC(year, month - 1, day, 12);
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeZone: "UTC" }).format(noon);
}

const MOMENT = {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
  timeZoneName: "short",
} as const;

/** Write a moment in the time of the person's own browser, with the zone's name. */
export function moment(utc: string | null): string {
  return utc ? new Intl.DateTimeFormat(LOCALE, MOMENT).format(new Date(utc)) : NOTHING;
}

export function clockTime(milliseconds: number): string {
  return new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" }).format(milliseconds);
}

export function count(number: number): string {
  return new Intl.NumberFormat(LOCALE).format(number);
}

/** A figure that is known in part is told as a lower bound. */
export const atLeast = (figure: string, isComplete: boolean) =>
  isComplete ? figure : `${texts.common.moreThan} ${figure}`;

/** How the nightly comparison found both sides, and when. */
export function told(latest: Schemas["LatestComparisonView"]): string {
  const words = texts.overview;
  const differing = latest.differing_invoices + latest.differing_customers;
  const invoices = `${count(latest.compared_invoices)} ${words.invoices}`;
  const customers = `${count(latest.compared_customers)} ${words.customers}`;
  const how = latest.state === "succeeded" ? "" : ` (${texts.runs.states[latest.state]})`;
  const when = `${words.asOf} ${moment(latest.finished_at)}${how}`;
  return `${invoices}, ${customers}: ${count(differing)} ${words.differ}, ${when}`;
}

/** The first and last day of the month before a moment, as the person's own calendar has it. */
export function lastMonth(now: Date): { first_day: string; last_day: string } {
  const [year, month] = [now.getFullYear(), now.getMonth()];
  const day = (milliseconds: number) => new Date(milliseconds).toISOString().slice(0, 10);
  return {
    first_day: day(Date.UTC(year, month - 1, 1)),
    last_day: day(Date.UTC(year, month, 0)),
  };
}

/** How long from now until a moment, in hours, minutes and seconds; null when it is over. */
export function timeUntil(utc: string, now: number): string | null {
  const seconds = Math.ceil((Date.parse(utc) - now) / 1000);
  if (!(seconds > 0)) {
    return null;
  }
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return clock.map((part) => String(part).padStart(2, "0")).join(":");
}

const AMOUNT = /^(-?\d{1,13})(?:[.,](\d{1,4}))?(?:\s*([A-Za-z]{3}))?$/;
const USUAL_DECIMALS = 2;

/**
 * Read an amount that a person typed, such as `25`, `25.00` or `1200 JPY`.
 *
 * Its digits are moved as text; null for what is none, or is finer than its currency.
 */
export function typedAmount(text: string): { amount_minor: number; currency?: string } | null {
  const [, whole, part = "", code] = text.trim().match(AMOUNT) ?? [];
  const currency = code?.toUpperCase();
  const decimals = currency ? decimalsOf(currency) : USUAL_DECIMALS;
  if (whole === undefined || part.length > decimals) {
    return null;
  }
  const amount_minor = Number(whole + part.padEnd(decimals, "0"));
  return Number.isSafeInteger(amount_minor)
    ? { amount_minor, ...(currency && { currency }) }
    : null;
}

function decimalsOf(currency: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits ?? USUAL_DECIMALS;
}

export const NOTHING = "–";
