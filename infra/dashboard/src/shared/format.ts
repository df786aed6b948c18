import type { Amount } from "../api/client";

const LOCALE = "en-US";
const CALENDAR_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/**
 * Write an amount with its currency and the currency's own decimals.
 *
 * The digits are the API's text, so that no binary fraction comes between.
 */
export function money(amount: Amount): string {
  const style = {
    style: "currency",
    currency: amount.currency,
    currencyDisplay: "code",
    minimumFractionDigits: amount.decimals,
    maximumFractionDigits: amount.decimals,
  } as const;
  const format = new Intl.NumberFormat(LOCALE, style);
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

/** Write a moment in the time of the person's own browser. */
export function moment(utc: string | null): string {
  if (!utc) {
    return NOTHING;
  }
  const style = { dateStyle: "medium", timeStyle: "short" } as const;
  return new Intl.DateTimeFormat(LOCALE, style).format(new Date(utc));
}

export function count(number: number): string {
  return new Intl.NumberFormat(LOCALE).format(number);
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

export const NOTHING = "–";
