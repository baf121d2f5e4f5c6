// Roles go one above the other.
import { expect, test } from "vitest";
import { permission } from "./me";

test("each role may what those before it may", () => {
  expect(permission("viewer", "edit")).toEqual({
    allowed: false,
    reason: "This needs the role editor; yours is viewer.",
  });
  expect(permission("editor", "edit").allowed).toBe(true);
  expect(permission("editor", "delete").allowed).toBe(false);
  expect(permission("owner", "delete").allowed).toBe(true);
  expect(permission(null, "run").allowed).toBe(false);
  expect(permission("owner", "have keys").allowed).toBe(true);
  expect(permission("owner", "have keys", "anybody").reason).toContain("--auth off");
});
