// A block and a connector that this console never heard of: drawn from what an executor announces, and from nothing else.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { z } from "zod";
import { inspect, openBrowser } from "./browser";
import { letIn, type Person, signUp } from "./people";

const browser = openBrowser();

const text = { type: "string" };
const BLOCK = {
  kind: "enrich",
  keyword: "enrich",
  label: "Enrich from an API",
  description: "Asks a service about each row.",
  input: "S3_FILE",
  output: "S3_FILE",
  settings: {
    type: "object",
    additionalProperties: false,
    required: ["enrich", "url", "batch", "region", "token"],
    properties: {
      enrich: { ...text, "x-input": "block", description: "The block whose rows are asked about." },
      url: { ...text, title: "Address", description: "Where the service is." },
      batch: { type: "integer", minimum: 1, maximum: 500, description: "Rows in one call." },
      share: { type: ["number", "null"], default: 0.5 },
      strict: { type: "boolean", default: false },
      region: { $ref: "#/$defs/Region" },
      columns: { type: "array", items: text },
      retries: { type: "array", items: { type: "integer" } },
      headers: { type: "object", additionalProperties: text },
      weights: { type: "object", additionalProperties: { type: "number" } },
      copy_to: { "x-reference": "target" },
      through: { ...text, "x-connection": true },
      where: { ...text, format: "sql" },
      token: { ...text, writeOnly: true, description: "The service's key." },
      limit: { type: "object", required: ["calls"], properties: { calls: { type: "integer" }, per: text } },
      rules: { type: "array", items: { type: "object" } },
      odd: { anyOf: [text, { type: "object" }] },
      stranger: { type: "quaternion", "x-of": 4 },
    },
    $defs: { Region: { oneOf: [{ const: "eu", description: "Europe" }, { const: "us" }] } },
  },
};
const CONNECTOR = {
  name: "ledger",
  label: "Ledger",
  schemes: ["ledger"],
  places: "tables",
  settings: {
    type: "object",
    required: ["type", "host", "tenant", "key"],
    properties: {
      type: { const: "ledger" },
      host: text,
      port: { type: "integer", minimum: 1, maximum: 65535, default: 4711 },
      tenant: { ...text, description: "Whose books." },
      key: { ...text, writeOnly: true },
      mode: { enum: ["live", "test"] },
      compress: { type: "boolean" },
      books: { type: "array", items: text },
      mapping: { type: "object", additionalProperties: text },
    },
  },
};

const catalogue = z.looseObject({ blocks: z.array(z.unknown()), connectors: z.array(z.unknown()) });

/** The service's own catalogue with one block and one connector more. */
async function announce(page: Page): Promise<void> {
  await page.route("**/api/v1/catalogue", async (route) => {
    const response = await route.fetch();
    const found = catalogue.parse(await response.json());
    const json = {
      ...found,
      blocks: [...found.blocks, BLOCK],
      connectors: [...found.connectors, CONNECTOR],
    };
    await route.fulfill({ json });
  });
}

async function drafted(person: Person): Promise<string> {
  const body = { name: "enriched", text: "blocks:\n  orders: {extract: /tmp/orders.csv}\n", status: "draft" };
  return z.object({ id: z.string() }).parse(await person.call("POST", "/pipelines", body)).id;
}

test("PL-10: a block nobody knew stands in the palette, and all its settings have fields", async () => {
  const person = await signUp();
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await announce(page);
  // The service itself does not know the block: what it would say of the file is left to the console.
  await page.route("**/api/v1/pipelines/validate", (route) =>
    route.fulfill({ json: { problems: [], graph_definition: null } }),
  );
  await page.goto(`/pipelines/${await drafted(person)}?block=orders`);
  const palette = page.getByRole("navigation", { name: "Blocks" });
  await palette.getByRole("button", { name: "Add Enrich from an API" }).click();
  const drawer = page.getByRole("complementary", { name: "Settings of enrich" });
  await drawer.getByText("Asks a service about each row.").waitFor();
  await drawer.getByText("Takes: rows").waitFor();
  // It reads the block that was chosen.
  await page.locator(".react-flow__edge").waitFor({ state: "attached" });

  for (const missing of ["Address", "Batch", "Region", "Token"])
    await drawer.getByText(`${missing} is missing.`).waitFor();
  await drawer.getByRole("button", { name: "More settings" }).click();
  const field = (label: string) => drawer.getByLabel(label);
  const labels = Object.keys(BLOCK.settings.properties).filter((key) => !["enrich", "limit"].includes(key));
  for (const key of labels) {
    const label =
      key === "url" ? "Address" : `${key.charAt(0).toUpperCase()}${key.slice(1).replace("_", " ")}`;
    expect(await drawer.locator("label", { hasText: label }).count(), label).toBeGreaterThan(0);
  }
  await inspect(page, "catalogue-block", ["usual", "small"]);

  await field("Address").fill("https://api.example.com");
  await field("Batch").fill("900");
  await drawer.getByText("Batch is between 1 and 500.").waitFor();
  await field("Batch").fill("50");
  await field("Share").fill("0.25");
  await field("Token").fill("hunter2");
  await drawer.getByText("A file holds no secrets").waitFor();
  await field("Token").fill("${env:LEDGER_TOKEN}");
  await drawer.getByRole("combobox", { name: "Region" }).click();
  await page.getByRole("option", { name: "us" }).click();
  await drawer.getByRole("combobox", { name: "Strict" }).click();
  await page.getByRole("option", { name: "Yes" }).click();
  await field("Columns").fill("id, email");
  await field("Retries").fill("1, 5");
  const weights = drawer.getByRole("group", { name: "Weights" });
  await weights.getByRole("button", { name: "Add" }).click();
  await weights.getByLabel("Name 1").fill("price");
  await weights.getByLabel("Value 1").fill("1.5");
  await field("Calls").fill("9");
  await field("Rules").fill("[{when: late, then: skip}]");
  await field("Stranger").fill("{w: 1}");
  await field("Odd").fill("plain");
  await field("Address").focus();
  const file = page.getByRole("textbox", { name: "The pipeline as YAML" });
  for (const line of [
    "enrich: orders",
    "url: https://api.example.com",
    "batch: 50",
    "share: 0.25",
    "strict: true",
    "region: us",
    "columns: [id, email]",
    "retries: [1, 5]",
    "weights: {price: 1.5}",
    "token: ${env:LEDGER_TOKEN}",
    "rules: [{when: late, then: skip}]",
    "stranger: {w: 1}",
    "odd: plain",
  ])
    await file.getByText(line, { exact: true }).first().waitFor();
  await expect.poll(() => drawer.getByText(/is missing\./).count()).toBe(0);
  await inspect(page, "catalogue-block-filled", ["usual", "large"]);
  expect(errors).toEqual([]);
});

test("CN-13: a connector nobody knew has a card and a form, and is tested before it is saved", async () => {
  const person = await signUp();
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await announce(page);
  let asked: unknown = null;
  await page.route("**/api/v1/connections/test", async (route) => {
    asked = route.request().postDataJSON();
    await route.fulfill({
      json: { success: true, message: "Signed in", details: { db_type: "ledger", version: "Ledger 7" } },
    });
  });
  await page.goto("/connections?new=true");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Ledger/ }).click();
  await dialog.getByRole("button", { name: "Test connection" }).click();
  for (const missing of ["Host", "Tenant", "Key"]) await dialog.getByText(`${missing} is missing.`).waitFor();
  await dialog.getByLabel("Connection name").fill("books");
  await dialog.getByLabel("Host").fill("db.example.com");
  await dialog.getByLabel("Tenant").fill("acme");
  await dialog.getByLabel("Key", { exact: true }).fill("s3cret");
  await dialog.getByLabel("Port").fill("0");
  await dialog.getByText("Port is between 1 and 65535.").waitFor();
  await dialog.getByLabel("Port").fill("4711");
  await dialog.getByRole("button", { name: "Advanced" }).click();
  await dialog.getByLabel("Books").fill("general, sales");
  await dialog.getByLabel("Mapping").fill("{a: ");
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await dialog.getByText(/Mapping is no YAML/).waitFor();
  await dialog.getByLabel("Mapping").fill("{a: b}");
  await inspect(page, "catalogue-connector", ["usual", "small"]);
  expect(await dialog.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await dialog.getByText("Ledger 7").waitFor();
  expect(asked).toMatchObject({
    type: "ledger",
    config: {
      host: "db.example.com",
      port: 4711,
      tenant: "acme",
      key: "s3cret",
      books: ["general", "sales"],
      mapping: { a: "b" },
    },
  });
  expect(await dialog.getByRole("button", { name: "Save" }).isDisabled()).toBe(false);
  expect(errors).toEqual([]);
});
