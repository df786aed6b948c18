import { expect, test } from "vitest";
import { added } from "./Filters";

const effect = (staying: number, leaving: number, returning: number) => ({
  staying,
  leaving,
  returning,
  leaving_samples: [],
  returning_samples: [],
  leaving_balances: [{ amount_minor: 1, currency: "USD", decimals: 2, display: "0.01" }],
  in_connectwise: null,
});

test("the parts of a preview add up, and money is shown of a whole alone", () => {
  const first = { customers: effect(1, 2, 3), invoices: effect(10, 20, 30) };
  const second = { customers: effect(4, 5, 6), invoices: effect(1, 1, 1) };
  const whole = added(first, second);
  expect(whole.customers).toMatchObject({ staying: 5, leaving: 7, returning: 9 });
  expect(whole.invoices).toMatchObject({ staying: 11, leaving: 21, returning: 31 });
  expect(whole.invoices.leaving_balances).toEqual([]);
});
