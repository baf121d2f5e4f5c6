// What a filter leaves, and in which order.
import { expect, test } from "vitest";
import type { Connection } from "@/api/connections";
import { filtered, placeOf, statusOf } from "./model";

function connection(name: string, more: Partial<Connection> = {}): Connection {
  const at = "2026-03-01T12:00:00Z";
  const own = {
    id: name,
    _id: name,
    name,
    type: "postgres",
    db_type: "postgres",
    direction: "both" as const,
  };
  return { ...own, is_source: true, config: {}, created_at: at, updated_at: at, ...more };
}

const shop = connection("shop", {
  config: { host: "db", port: 5432 },
  last_test_status: "success",
  folder: "eu",
});
const lake = connection("lake", {
  type: "s3",
  config: { bucket: "raw", prefix: "in" },
  direction: "destination",
});
const all = [shop, lake, connection("shop 10"), connection("shop 9", { updated_at: "2026-03-02T12:00:00Z" })];
const names = (filter: Parameters<typeof filtered>[1]) => filtered(all, filter).map(({ name }) => name);

test("filters go together", () => {
  expect(names({})).toEqual(["lake", "shop", "shop 9", "shop 10"]);
  expect(names({ sort: "updated" })[0]).toBe("shop 9");
  expect(names({ q: "SHOP db" })).toEqual(["shop"]);
  expect(names({ type: "s3" })).toEqual(["lake"]);
  expect(names({ status: "untested", direction: "both" })).toEqual(["shop 9", "shop 10"]);
  expect(names({ folder: "eu" })).toEqual(["shop"]);
  expect(names({ folder: "" })).toEqual(["lake", "shop 9", "shop 10"]);
});

test("a card says where it leads", () => {
  expect([placeOf(shop), placeOf(lake), placeOf(connection("x"))]).toEqual(["db:5432", "raw/in", ""]);
  expect([statusOf(shop), statusOf(lake)]).toEqual(["success", "untested"]);
});
