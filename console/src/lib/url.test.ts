// What addresses may hold, and what is made of the rest.
import { expect, test } from "vitest";
import { listSearch, nextSort, ownPath, parseSort } from "./url";

test("a header goes round its three states", () => {
  expect(nextSort(undefined, "name")).toBe("name");
  expect(nextSort("name", "name")).toBe("-name");
  expect(nextSort("-name", "name")).toBeUndefined();
  expect(nextSort("-name", "state")).toBe("state");
  expect(parseSort("-name")).toEqual({ by: "name", descending: true });
});

test("signing in never leads elsewhere", () => {
  expect(ownPath("/runs?status=failed")).toBe("/runs?status=failed");
  for (const wrong of [undefined, "", "//example.com", "https://example.com", "/\\example.com"])
    expect(ownPath(wrong)).toBe("/");
});

test("a search that is no text is left out or made one", () => {
  expect(listSearch.parse({ q: "", sort: 1 })).toEqual({ q: undefined, sort: "1" });
});
