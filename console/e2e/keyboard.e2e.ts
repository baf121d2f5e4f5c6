// The whole way without a pointer: a pipeline is made, run, and its run looked at.
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { openBrowser } from "./browser";
import { letIn, signUp } from "./people";
import { connect, psql } from "./postgres";

const browser = openBrowser();
const SCHEMA = `typed_${process.pid}`;
const PRESSES_MAX = 120;

/** Presses Tab, or what else leads there, until the focus is on it. */
async function reach(page: Page, target: Locator, key = "Tab"): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < PRESSES_MAX; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${String(target)}`);
}

async function press(page: Page, target: Locator, key = "Tab"): Promise<void> {
  await reach(page, target, key);
  await page.keyboard.press("Enter");
}

test(
  "a pipeline is made, run and its run inspected by the keyboard alone",
  { timeout: 180_000 },
  async () => {
    psql(`create schema if not exists ${SCHEMA};
    drop table if exists ${SCHEMA}.orders, ${SCHEMA}.copied;
    create table ${SCHEMA}.orders as select n as id from generate_series(1, 30) n`);
    const person = await signUp();
    await connect(person, "shop");
    const { page, context, errors } = await browser.visit();
    await letIn(context, person);
    await page.goto("/");
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();

    for (const key of ["g", "p"]) await page.keyboard.press(key);
    await page.getByRole("heading", { name: "Pipelines" }).waitFor();
    await page.keyboard.press("n");
    await page.getByRole("dialog", { name: "New pipeline" }).waitFor();
    await reach(page, page.getByLabel("Name", { exact: true }));
    await page.keyboard.type("typed");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "typed" }).waitFor();

    const settings = page.getByRole("complementary", { name: /^Settings of/ });
    await press(page, page.getByRole("button", { name: "Add Extract" }));
    await press(page, settings.getByRole("combobox", { name: /^Connection/ }));
    await page.getByRole("option", { name: /^shop/ }).waitFor();
    await page.keyboard.type("shop");
    // The list moves to what is typed in its own time.
    await page.locator('[role="option"]:focus', { hasText: /^shop/ }).waitFor();
    await page.keyboard.press("Enter");
    await press(page, settings.getByRole("combobox", { name: /^Table/ }));
    await page.keyboard.type(`${SCHEMA}.orders`);
    await page.getByRole("option", { name: `${SCHEMA}.orders` }).waitFor();
    await page.keyboard.press("Enter");
    await settings.locator(`input[value="shop.${SCHEMA}.orders"]`).waitFor();

    // The block that is chosen is read by the next one.
    await press(page, page.getByRole("button", { name: "Add Load" }), "Shift+Tab");
    await page.getByRole("complementary", { name: "Settings of load" }).waitFor();
    await reach(page, settings.getByPlaceholder("warehouse.raw.orders", { exact: false }));
    await page.keyboard.type(`shop.${SCHEMA}.copied`);
    // Escape leaves the settings, and the focus is on the block.
    await page.keyboard.press("Escape");
    await page.locator('.react-flow__node[data-id="load"]:focus').waitFor();
    await page.getByText("Saved · revision").waitFor();

    await press(page, page.getByRole("button", { name: "Activate", disabled: false }), "Shift+Tab");
    await page.getByText("typed is active.").first().waitFor();
    await page.keyboard.press("Control+Enter");
    await press(page, page.getByRole("link", { name: /Last run Succeeded/ }));
    expect(psql(`select count(*) from ${SCHEMA}.copied`)).toBe("30");

    await press(page, page.getByRole("group", { name: /^load load, succeeded/ }));
    await page.getByRole("region", { name: "Block load" }).waitFor();
    await reach(page, page.getByRole("tab", { name: "Graph" }), "Shift+Tab");
    await reach(page, page.getByRole("tab", { name: "Logs" }), "ArrowRight");
    // Of the block that is chosen.
    await page.getByRole("log").getByText("committed 30 rows").waitFor();
    await reach(page, page.getByRole("tab", { name: "Data" }), "ArrowRight");
    await page.getByText("In its target").waitFor();
    expect(errors).toEqual([]);
  },
);
