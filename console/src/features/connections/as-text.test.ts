// Files and commands that make the same connection again.
import { expect, test } from "vitest";
import { asCommand, asYaml } from "./as-text";

const shop = {
  id: "1",
  _id: "1",
  name: "shop",
  type: "postgres",
  db_type: "postgres",
  direction: "source" as const,
  is_source: true,
  folder: "eu west",
  config: {
    host: "db.example.com",
    port: 5432,
    database: "shop",
    username: "etl",
    password: "encrypted_value",
  },
  created_at: "2026-03-01T12:00:00Z",
  updated_at: "2026-03-01T12:00:00Z",
};

test("secrets are references", () => {
  expect(asYaml(shop)).toBe(`connections:
  shop:
    type: postgres
    host: "db.example.com"
    port: 5432
    database: shop
    username: etl
    password: "\${env:SHOP_PASSWORD}"
`);
  expect(asCommand({ ...shop, config: { ...shop.config, sslmode: "require" } })).toBe(
    "flowetl connection add shop 'postgres://etl:${env:SHOP_PASSWORD}@db.example.com:5432/shop?sslmode=require' --direction source --folder 'eu west'",
  );
  expect(
    asCommand({ ...shop, type: "file", folder: null, direction: "both", config: { path: "/data" } }),
  ).toBe("flowetl connection add shop file:///data");
  expect(
    asCommand({ ...shop, type: "s3", folder: null, direction: "both", config: { bucket: "b", prefix: "p" } }),
  ).toBe("flowetl connection add shop s3://b/p");
});
