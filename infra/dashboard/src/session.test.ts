import { expect, test } from "vitest";
import { pathOf } from "./session";

test("a path of the page is followed after signing in", () => {
  expect(pathOf("/invoices?state=open#top")).toBe("/invoices?state=open#top");
});

test.each(["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere", "", null, 7])(
  "%s is no path of the page",
  (state) => {
    expect(pathOf(state)).toBe("/");
  },
);

test.each(["/signed-in?code=1", "/signed-out"])("%s leads home", (state) => {
  expect(pathOf(state)).toBe("/");
});
