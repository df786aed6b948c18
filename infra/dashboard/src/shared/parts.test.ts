import { expect, test } from "vitest";
import { addedArchived, addedPreview, allParts } from "./parts";

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
  const whole = addedPreview(first, second);
  expect(whole.customers).toMatchObject({ staying: 5, leaving: 7, returning: 9 });
  expect(whole.invoices).toMatchObject({ staying: 11, leaving: 21, returning: 31 });
  expect(whole.invoices.leaving_balances).toEqual([]);
});

test("a preview of one part keeps its sums of money", () => {
  const only = { customers: effect(1, 2, 3), invoices: effect(10, 20, 30) };
  expect(addedPreview(null, only)).toEqual(only);
});

test("parts are followed by their cursors, and their counts add up", async () => {
  const asked: (string | undefined)[] = [];
  const whole = await allParts((cursor) => {
    asked.push(cursor);
    const part = { customer_count: 1, invoice_count: 20, contested_count: 0 };
    return Promise.resolve({ ...part, next_cursor: cursor === "b" ? null : cursor ? "b" : "a" });
  }, addedArchived);
  expect(asked).toEqual([undefined, "a", "b"]);
  expect(whole).toEqual({ customer_count: 3, invoice_count: 60, contested_count: 0 });
});

test("a part that fails ends the work with its error", async () => {
  const failing = allParts(() => Promise.reject(new Error("no")), addedArchived);
  await expect(failing).rejects.toThrow("no");
});
