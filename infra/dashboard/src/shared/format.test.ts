import { afterEach, expect, test, vi } from "vitest";
import { calendarDate, moment, money, NOTHING, timeUntil } from "./format";

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
