import { expect, test } from "vitest";
import { outcome } from "./Runs";

const NONE = {
  seen: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  archived: 0,
  skipped: 0,
  deferred: 0,
  failed: 0,
};

test("a run tells how many it looked at, and only the outcomes that there were", () => {
  const counts = { ...NONE, seen: 1200, created: 1100, failed: 100 };
  expect(outcome(counts)).toBe("1,200 looked at (1,100 new, 100 with a problem)");
});

test("a run that met nothing says so", () => {
  expect(outcome(NONE)).toBe("0 looked at");
});
