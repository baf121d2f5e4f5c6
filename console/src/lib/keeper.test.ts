// What stays the same object, and what does not.
import { expect, test } from "vitest";
import { keeper } from "./keeper";

test("what did not change stays what it was", () => {
  const keep = keeper<{ id: string; text: string }>((one, other) => one.text === other.text);
  const first = keep([
    { id: "a", text: "one" },
    { id: "b", text: "two" },
  ]);
  expect(keep(structuredClone(first))).toBe(first);
  const second = keep([
    { id: "a", text: "one" },
    { id: "b", text: "three" },
  ]);
  expect(second).not.toBe(first);
  expect(second[0]).toBe(first[0]);
  expect(second[1]).toEqual({ id: "b", text: "three" });
  expect(keep(second.slice(0, 1))).toEqual([first[0]]);
});
