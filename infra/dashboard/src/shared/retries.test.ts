import { expect, test } from "vitest";
import { outcomeOf, retryAll } from "./retries";

test("each problem is tried once, though one is refused", async () => {
  const tried: string[] = [];
  const outcome = await retryAll(["a", "b", "c"], async (id) => {
    tried.push(id);
    if (id === "b") throw new Error("It moved on.");
  });
  expect(tried).toEqual(["a", "b", "c"]);
  expect(outcome).toEqual({ retried: 2, refusals: ["It moved on."] });
  expect(outcomeOf(outcome)).toContain("2. It moved on.");
});

test("a reason that several share is told once", async () => {
  const outcome = await retryAll(["a", "b"], () => Promise.reject(new Error("No.")));
  expect(outcome).toEqual({ retried: 0, refusals: ["No."] });
});
