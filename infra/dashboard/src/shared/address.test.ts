import { expect, test } from "vitest";
import { changed, pageOf } from "./address";

test("another filter begins at the first page and keeps the others", () => {
  const after = changed(new URLSearchParams("state=open&page=4"), { number: "10" });
  expect(after.toString()).toBe("state=open&number=10");
});

test("a filter without a value leaves the address", () => {
  expect(changed(new URLSearchParams("state=open"), { state: "" }).toString()).toBe("");
});

test("a page keeps the filters", () => {
  const after = changed(new URLSearchParams("state=open"), { page: "2" });
  expect(after.toString()).toBe("state=open&page=2");
});

test.each([
  ["3", 3],
  ["0", 1],
  ["-1", 1],
  ["1.5", 1],
  ["many", 1],
  ["100000", 1],
  [undefined, 1],
])("page %s of an address is %i", (text, page) => {
  expect(pageOf(new URLSearchParams(text ? { page: text } : {}))).toBe(page);
});
