// The lineage: drawn from what pipelines read and write, narrowed by a selector, and joined by hand.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { confirm, inspect, openBrowser, settled } from "./browser";
import { letIn, signUp } from "./people";

const browser = openBrowser();

const node = (page: Page, name: string) =>
  page.getByRole("group", { name: new RegExp(`^pipeline ${name}\\b`) });

/** From the end of one pipeline to the beginning of another. */
async function draw(page: Page, from: string, to: string): Promise<void> {
  await settled(page);
  const start = await node(page, from).locator(".react-flow__handle.source").boundingBox();
  const end = await node(page, to).locator(".react-flow__handle.target").boundingBox();
  if (!start || !end) throw new Error(`${from} or ${to} is not drawn`);
  await page.mouse.move(start.x + start.width / 2, start.y + start.height / 2);
  await page.mouse.down();
  await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2, { steps: 12 });
  await page.mouse.up();
}

test("UI-10: the lineage is drawn, selected, joined by drag, and parted again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "flowetl-e2e-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "orders.csv"), "id,total\n1,10\n2,20\n");
  const { page, context, errors } = await browser.visit();
  const person = await signUp();
  await letIn(context, person);
  await page.goto("/");
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  for (const key of ["g", "d"]) await page.keyboard.press(key);
  await page.getByText("are drawn here once there is one").waitFor();
  await inspect(page, "lineage-empty");

  await person.call("POST", "/connections", { name: "lake", type: "file", config: { path: folder } });
  const pipeline = (name: string, from: string) =>
    person.call("POST", "/pipelines/apply", {
      text: `name: ${name}\nblocks:\n  rows: {extract: lake/${from}}\n  out: {load: rows, to: lake/${name}.parquet}\n`,
    });
  await pipeline("shop", "orders.csv");
  await pipeline("report", "shop.parquet");
  await pipeline("audit", "orders.csv");
  // It hears of them by itself.
  await node(page, "audit").waitFor();
  await page.getByRole("group", { name: /^file .*orders\.csv/ }).waitFor();
  // One node for the file that one writes and the other reads.
  expect(await page.getByRole("group", { name: /^file .*shop\.parquet/ }).count()).toBe(1);

  await draw(page, "shop", "audit");
  await page.getByText("audit begins once shop has succeeded.").waitFor();
  const line = page.getByRole("group", { name: /^audit begins after shop/ });
  await line.waitFor({ state: "attached" });
  await draw(page, "audit", "shop");
  await page.getByRole("alert").getByText("“shop” → “audit” → “shop”").waitFor();
  await inspect(page, "lineage-circle");
  await page.getByRole("button", { name: "Leave it as it was" }).click();

  await node(page, "shop").click();
  const panel = page.getByRole("complementary", { name: "About shop" });
  await panel.getByRole("heading", { name: "shop" }).waitFor();
  await page.getByRole("button", { name: "Close" }).waitFor();
  await inspect(page, "lineage", ["usual", "small", "large"]);

  const box = page.getByLabel("Select, such as +orders+2");
  await box.fill("report");
  await node(page, "audit").waitFor({ state: "detached" });
  await box.fill("2+report");
  await page.getByRole("group", { name: /^file .*shop\.parquet/ }).waitFor();
  expect(await page.getByRole("group", { name: /^file .*orders\.csv/ }).count()).toBe(0);
  await page.reload();
  await node(page, "shop").waitFor();
  expect(await box.inputValue()).toBe("2+report");
  await box.fill("");

  await page.getByRole("combobox", { name: "Colours" }).click();
  await page.getByRole("option", { name: "Coloured by health" }).click();
  await inspect(page, "lineage-health");

  // The same as a table, where the dependency is taken away again.
  await page.getByRole("button", { name: "Outline" }).click();
  const table = page.getByRole("table", { name: "Lineage" });
  await table.getByRole("row", { name: /audit.*shop/ }).waitFor();
  await inspect(page, "lineage-outline", ["usual", "small"]);
  await table.getByRole("button", { name: "Let audit no longer begin after shop" }).click();
  const dialog = page.getByRole("dialog", { name: "Let audit no longer begin after shop?" });
  await dialog.getByText("The trigger is deleted").waitFor();
  await confirm(dialog, "Remove dependency");
  await table
    .getByRole("button", { name: "Let audit no longer begin after shop" })
    .waitFor({ state: "detached" });
  expect(await person.call("GET", "/triggers")).toMatchObject({ triggers: [] });

  // And by keys alone.
  await table.getByRole("button", { name: "report", exact: true }).click();
  const about = page.getByRole("complementary", { name: "About report" });
  await about.getByRole("combobox", { name: /^Let report begin after/ }).click();
  await page.getByRole("option", { name: "audit" }).click();
  await page.getByText("report begins once audit has succeeded.").waitFor();
  await about.getByRole("link", { name: "Open" }).click();
  await page.getByRole("heading", { name: "report" }).waitFor();
  expect(errors).toEqual([]);
});
