// Connections against real PostgreSQL: tested before they are kept, edited, deleted, found among many.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { confirm, drawn, expectAccessible, inspect, openBrowser, screenshot } from "./browser";
import { letIn, signUp } from "./people";
import { POSTGRES } from "./postgres";

const browser = openBrowser();

async function enter(path: string, place?: Parameters<typeof signUp>[0]) {
  const visit = await browser.visit();
  const person = await signUp(place);
  await letIn(visit.context, person);
  return { ...visit, person, go: () => visit.page.goto(path) };
}

async function fill(page: Page, values: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label).first().fill(value);
}

describe("with PostgreSQL", () => {
  const server = new URL(POSTGRES);
  const address = { Host: server.hostname, Port: server.port, Database: "postgres" };

  test("CN-12: a connection is made, tested, changed and deleted", async () => {
    const { page, errors, person, go } = await enter("/connections");
    await go();
    await page.getByText("add the first one").waitFor();
    await inspect(page, "connections-empty", ["usual", "small"]);

    await page.getByRole("main").getByRole("button", { name: "New connection" }).last().click();
    await page.getByRole("button", { name: "PostgreSQL" }).waitFor();
    await inspect(page, "connection-types");
    await page.getByRole("button", { name: "PostgreSQL" }).click();
    const dialog = page.getByRole("dialog");
    const save = dialog.getByRole("button", { name: "Save" });
    expect(await dialog.getByLabel("Port").inputValue()).toBe("5432");
    expect(await save.isDisabled()).toBe(true);
    await dialog.getByRole("button", { name: "Test connection" }).click();
    await dialog.getByText("Connection name is missing.").waitFor();
    expect(
      await dialog.getByLabel("Connection name").evaluate((field) => field === document.activeElement),
    ).toBe(true);
    await inspect(page, "connection-form-missing");

    await fill(page, { "Connection name": "shop", ...address, Username: "flowetl_with_password" });
    await dialog.getByLabel("Password", { exact: false }).first().fill("wrong");
    await dialog.getByRole("button", { name: "Test connection" }).click();
    await dialog.getByRole("alert").getByText("password authentication failed").waitFor();
    expect(await save.isDisabled()).toBe(true);
    await inspect(page, "connection-test-failed");

    await fill(page, { Username: "postgres" });
    // What was said is about other settings now.
    expect(await dialog.getByRole("alert").count()).toBe(0);
    await page.keyboard.press("Enter");
    await dialog.getByText("Connection successful").waitFor();
    await dialog.getByText(/PostgreSQL \d+/).waitFor();
    expect(await save.isDisabled()).toBe(false);
    await inspect(page, "connection-test-passed", ["usual", "small", "large"]);
    await fill(page, { Database: "template1" });
    expect(await save.isDisabled()).toBe(true);
    await fill(page, { Database: "postgres" });
    await confirm(dialog, "Save");
    await page.getByText("Connected", { exact: true }).waitFor();

    // Only its name: no test is asked for. The password is not there to be read.
    await page.getByRole("button", { name: "Edit shop" }).click();
    await dialog.getByLabel("Connection name").waitFor();
    expect(await dialog.getByLabel("Password", { exact: false }).first().inputValue()).toBe("");
    await inspect(page, "connection-edit");
    await fill(page, { "Connection name": "shop eu", Folder: "europe" });
    await confirm(dialog, "Save");
    await page.getByRole("heading", { name: "shop eu" }).waitFor();
    await page.getByText("Connected", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Edit shop eu" }).click();
    await fill(page, { Host: "localhost" });
    expect(await save.isDisabled()).toBe(true);
    await dialog.getByRole("button", { name: "Test connection" }).click();
    await dialog.getByText("Connection successful").waitFor();
    await confirm(dialog, "Save");
    await page.getByText(`localhost:${address.Port}`).waitFor();

    await page.getByRole("button", { name: "More about shop eu" }).click();
    await page.getByRole("menuitem", { name: "View as YAML" }).click();
    await dialog.getByText("SHOP_EU_PASSWORD").waitFor();
    await inspect(page, "connection-yaml");
    await page.keyboard.press("Escape");

    const text =
      "name: nightly\nblocks:\n  rows: {extract: shop eu.pg_catalog.pg_class}\n  out: {load: rows, to: shop eu.public.copy}\n";
    await person.call("POST", "/pipelines/apply", { text });
    await page.getByRole("button", { name: "Delete shop eu" }).click();
    await dialog.getByText("nightly").waitFor();
    await inspect(page, "connection-delete");
    await confirm(dialog, "Delete connection");
    await page.getByText("add the first one").waitFor();
    expect(errors).toEqual([]);
  });
});

test("a hundred and more are found by search, filters and their address", async () => {
  const { page, errors, person, go } = await enter("/connections?sort=name");
  const connections = Array.from({ length: 200 }, (_, at) => ({
    name: `store ${at + 1}`,
    type: ["postgres", "s3", "file", "sqlite"][at % 4] ?? "file",
    folder: at % 3 === 0 ? "europe" : "",
    direction: at % 5 === 0 ? "source" : "both",
    config: [
      {
        host: `db${at}.example.com`,
        port: 5432,
        database: "store",
        username: "etl",
        password: "${env:STORE}",
      },
      { bucket: `raw-${at}`, region: "eu-central-1" },
      { path: `/srv/store/${at}` },
      { path: `/srv/store/${at}.db` },
    ][at % 4],
  }));
  await person.call("POST", "/connections/import", { version: 1, connections });
  await go();
  await page.getByText("200 connections").waitFor();
  await page.getByRole("heading", { name: "store 1", exact: true }).waitFor();
  await inspect(page, "connections-full", ["usual", "small", "large"]);
  // Only what is seen is drawn.
  expect(await page.locator("[data-card]").count()).toBeLessThan(80);

  await page.keyboard.press("/");
  await page.keyboard.type("raw-101");
  await page.getByText("1 of 200 connections").waitFor();
  await page.getByRole("heading", { name: "store 102" }).waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toBe("raw-101");
  await page.reload();
  await page.getByText("1 of 200 connections").waitFor();
  await page.getByRole("button", { name: "Clear search" }).click();
  await page.getByRole("combobox", { name: "Folder" }).click();
  await page.getByRole("option", { name: "europe" }).click();
  await page.getByText("67 of 200 connections").waitFor();
  // The service tests them by itself meanwhile, so that their status is no word to look for.
  await page.getByLabel("Search connections").fill("nothing like this");
  await page.getByText("No connection is like this.").waitFor();
  await inspect(page, "connections-none");

  // Scrolled to its end, the last is there.
  await page.getByRole("main").getByRole("button", { name: "Clear filters" }).last().click();
  await page.getByText("200 connections", { exact: true }).waitFor();
  await page.keyboard.press("End");
  await page.getByRole("heading", { name: "store 200" }).waitFor();
  expect(errors).toEqual([]);
});

test("while they are on their way, shapes stand in their place; what fails says why", async () => {
  const { page, errors, go } = await enter("/connections");
  let free = () => {};
  const held = new Promise<void>((done) => (free = done));
  await page.route("**/api/v1/connections", async (route) => {
    await held;
    await route.continue();
  });
  await go();
  await page.getByRole("status").getByText("Loading").first().waitFor({ state: "attached" });
  await screenshot(page, "connections-loading", "light", "usual", drawn);
  await screenshot(page, "connections-loading", "dark", "usual", drawn);
  free();
  await page.getByText("add the first one").waitFor();
  expect(errors.splice(0)).toEqual([]);

  await page.unroute("**/api/v1/connections");
  await page.route("**/api/v1/connections", (route) => route.abort());
  await page.reload();
  await page.getByRole("alert").getByText("Check whether the service is running").waitFor();
  await expectAccessible(page);
  await screenshot(page, "connections-error", "light");
  await screenshot(page, "connections-error", "dark");
  await page.unroute("**/api/v1/connections");
  // It is tried again by itself.
  await page.getByText("add the first one").waitFor();
});
