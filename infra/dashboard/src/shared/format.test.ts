import { afterEach, expect, test, vi } from "vitest";
import {
  calendarDate,
  lastMonth,
  localeOf,
  moment,
  money,
  NOTHING,
  timeUntil,
  typedAmount,
} from "./format";

afterEach(() => vi.unstubAllEnvs());

const amount = (display: string, currency: string, decimals: number) => ({
  amount_minor: 0,
  currency,
  decimals,
  display,
});

test.each([
  ["1234567.50", "USD", 2, "1,234,567.50 USD"],
  ["-18.75", "USD", 2, "-18.75 USD"],
  ["1200", "JPY", 0, "1,200 JPY"],
  ["0.125", "KWD", 3, "0.125 KWD"],
  ["90071992547409.93", "USD", 2, "90,071,992,547,409.93 USD"],
])("%s %s is written with its own decimals", (display, currency, decimals, written) => {
  expect(money(amount(display, currency, decimals))).toBe(written);
});

test.each(["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])(
  "a calendar date stays the same day in %s",
  (elsewhere) => {
    vi.stubEnv("TZ", elsewhere);
    expect(calendarDate("2026-08-31")).toBe("Aug 31, 2026");
    expect(calendarDate("2024-02-29")).toBe("Feb 29, 2024");
  },
);

test("a date or moment that is not there is a dash", () => {
  expect([calendarDate(null), moment(null)]).toEqual([NOTHING, NOTHING]);
});

test("the time until a moment counts down to nothing", () => {
  const now = Date.parse("2026-08-31T10:00:00Z");
  expect(timeUntil("2026-08-31T21:59:59Z", now)).toBe("11:59:59");
  expect(timeUntil("2026-08-31T10:00:01Z", now)).toBe("00:00:01");
  expect(timeUntil("2026-08-31T10:00:00Z", now)).toBeNull();
  expect(timeUntil("no moment", now)).toBeNull();
});

test.each([
  ["de-DE", "1.234,50 EUR"],
  ["en-IN", "1,234.50 EUR"],
])("an amount is written as people of %s do", (locale, written) => {
  expect(money(amount("1234.50", "EUR", 2), locale)).toBe(written);
});

test("a moment names its zone", () => {
  expect(moment("2026-08-31T10:00:00Z")).toMatch(/Aug 31, 2026.*\d:00.*(UTC|GMT|[A-Z]{3,4})/);
});

test.each([
  ["25", { amount_minor: 2500 }],
  [" 25.00 ", { amount_minor: 2500 }],
  ["-18,75", { amount_minor: -1875 }],
  ["0.29", { amount_minor: 29 }],
  ["90071992547409.91", null],
  ["1200 jpy", { amount_minor: 1200, currency: "JPY" }],
  ["0.125 KWD", { amount_minor: 125, currency: "KWD" }],
])("the typed amount %s is exact", (text, amount) => {
  expect(typedAmount(text)).toEqual(amount);
});

test.each(["", "many", "1.005", "12.5 JPY", "1e3", "$25"])("%j is no amount", (text) => {
  expect(typedAmount(text)).toBeNull();
});

test("a language that no browser should name is passed over", () => {
  expect(localeOf(["en-US@posix", "de-DE", "en"])).toBe("de-DE");
  expect(localeOf(["en-US@posix"])).toBeUndefined();
});

test.each([
  [new Date(2026, 2, 31, 23, 59), "2026-02-01", "2026-02-28"],
  [new Date(2028, 2, 1), "2028-02-01", "2028-02-29"],
  [new Date(2027, 0, 1), "2026-12-01", "2026-12-31"],
])("the month before %s is from %s to %s", (now, first_day, last_day) => {
  expect(lastMonth(now)).toEqual({ first_day, last_day });
});
