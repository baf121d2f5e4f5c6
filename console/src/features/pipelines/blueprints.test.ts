// Blueprints are files that can be read, about connections that there are.
import { expect, test } from "vitest";
import { parse } from "yaml";
import { blueprints } from "./blueprints";

test("each is a readable file that names what there is, else what there may be", () => {
  for (const { text } of blueprints([], [])) expect(parse(text)).toBeTypeOf("object");
  const names = blueprints([], [])
    .map(({ text }) => text)
    .join("\n");
  for (const name of ["shop.public", "warehouse.public", "files/"]) expect(names).toContain(name);
  const connector = { name: "x", label: "X", schemes: ["x"], places: "tables", settings: {} };
  const base = {
    db_type: "x",
    type: "x",
    is_source: true,
    config: {},
    created_at: "2026-03-01T12:00:00Z",
    updated_at: "2026-03-01T12:00:00Z",
  };
  const one = { ...base, id: "1", _id: "1", name: "erp", direction: "source" as const };
  const other = { ...base, id: "2", _id: "2", name: "dwh", direction: "destination" as const };
  const [, incremental] = blueprints([one, other], [connector]);
  expect(incremental?.text).toContain("extract: erp.public.orders");
  expect(incremental?.text).toContain("to: dwh.public.orders_copy");
});
