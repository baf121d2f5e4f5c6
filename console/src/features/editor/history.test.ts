// Steps are undone and done again; typing is one step.
import { expect, test } from "vitest";
import { begin, type History, stepped } from "./history";

const change = (history: History, text: string, about: string, at: number) =>
  stepped(history, { kind: "change", draft: { text, layout: {} }, about, at });

test("typing without a pause is one step, anything else is its own", () => {
  let history = begin({ text: "", layout: {} });
  history = change(history, "a", "typing", 0);
  history = change(history, "ab", "typing", 500);
  history = change(history, "abc", "typing", 5000);
  history = change(history, "abcd", "block", 5001);
  expect(history.past.map(({ text }) => text)).toEqual(["", "ab", "abc"]);
  history = stepped(history, { kind: "undo" });
  history = stepped(history, { kind: "undo" });
  expect(history.now.text).toBe("ab");
  history = stepped(history, { kind: "redo" });
  expect(history.now.text).toBe("abc");
  history = change(history, "x", "typing", 5002);
  expect(history.future).toEqual([]);
  expect(stepped(history, { kind: "redo" })).toBe(history);
});
