// Runs as they go on, succeed, fail, are cancelled and gone on with, against a real database.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { z } from "zod";
import { beyondCanvas, expectAccessible, inspect, LONGEST_MS, openBrowser, settled } from "./browser";
import { POSTGRES, psql } from "./postgres";
import { letIn, type Person, signUp } from "./people";

const browser = openBrowser();
const identified = z.object({ id: z.string() });

/** A view that gives 200 rows every 10 ms, so that a run of it takes some seconds. */
const SLOW = `
create or replace function slowly(i bigint) returns bigint language plpgsql volatile as
$$ begin if i % 200 = 0 then perform pg_sleep(0.01); end if; return i; end $$;
create or replace view slow_orders as
  select slowly(i) as id, i % 7 as plan, i * 1.5::float8 as total from generate_series(1::bigint, 500000) i;
create or replace view plans as select i as id, 'plan ' || i as name from generate_series(0::bigint, 6) i;
create table if not exists divisor as select 0 as by;
create or replace view broken as select i as id, 1 / by as plan from generate_series(1::bigint, 10) i, divisor;
`;

async function pipeline(person: Person, name: string, blocks: string): Promise<string> {
  const text = `name: ${name}\nconnections:\n  shop: ${POSTGRES}\nblocks:\n${blocks}`;
  return identified.parse(await person.call("POST", "/pipelines", { text })).id;
}

async function begin(person: Person, pipeline: string): Promise<string> {
  return identified.parse(await person.call("POST", `/pipelines/${pipeline}/run`, {})).id;
}

const CHURN = `
  orders: {extract: shop.public.slow_orders}
  plans: {extract: shop.public.plans}
  features: {sql: "select o.id, o.total, p.name from orders o join plans p on p.id = o.plan"}
  checks: {test: features, not_null: [id]}
  publish: {load: features, to: shop.public.e2e_features, write: replace, after: checks}
`;

test("a run is watched while it goes on, and looked at afterwards", { timeout: 180_000 }, async () => {
  psql(SLOW);
  const person = await signUp();
  const churn = await pipeline(person, "churn", CHURN);
  const { page, context, errors } = await browser.visit();
  let told = 0;
  page.on("websocket", (socket) => {
    socket.on("framereceived", (frame) => {
      if (String(frame.payload).includes('"run.progress"')) told += 1;
    });
  });
  await letIn(context, person);
  await page.goto("/runs");
  await page.getByText("Nothing has run yet.").waitFor();
  await inspect(page, "runs-empty");

  // Its lines are known later than its blocks, which then stand elsewhere.
  await page.route(`**/api/v1/pipelines/${churn}`, async (route) => {
    await expect.poll(() => told, { timeout: LONGEST_MS }).toBeGreaterThan(0);
    await route.continue();
  });
  const run = await begin(person, churn);
  await page.getByRole("link", { name: "churn" }).click();
  await page.getByRole("heading", { name: "churn" }).waitFor();
  const orders = page.getByRole("group", { name: /^extract orders, running, .* rows per second/ });
  await orders.waitFor();
  const rows = () => page.locator("dt:text-is('Rows in') + dd").innerText();
  const first = await rows();
  await expect.poll(rows, { timeout: 15_000 }).not.toBe(first);
  await page.getByText(/orders is the bottleneck: it waits for its source/).waitFor();
  await page.getByRole("button", { name: "Pause the view" }).click();
  const held = await rows();
  // It is told of more, and shows none of it.
  const before = told;
  await expect.poll(() => told, { timeout: 15_000 }).toBeGreaterThan(before + 2);
  await settled(page);
  expect(await rows()).toBe(held);
  await page.getByRole("button", { name: "Go on showing" }).click();
  expect(await beyondCanvas(page)).toEqual([]);
  await inspect(page, "run-running");

  await page.getByRole("tab", { name: "Logs" }).click();
  const log = page.getByRole("log");
  await log.getByText("the run has begun").waitFor();
  // Nobody asks for more: it is told.
  await log
    .getByText(/succe|committed|done/i)
    .first()
    .waitFor({ timeout: 90_000 });
  await page.getByText("Complete.").waitFor({ timeout: 30_000 });
  await inspect(page, "run-logs");
  await page.getByRole("link", { name: "Link to line 2", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("line")).toBe("2");
  await page.getByLabel("Search the log").fill("no such words");
  await page.getByText("No line is like that.").waitFor();

  await page.getByRole("tab", { name: "Graph" }).click();
  await page.getByRole("group", { name: /^load publish, succeeded/ }).click();
  await page.getByRole("region", { name: "Block publish" }).waitFor();
  await page.getByText(/orders was the bottleneck: it waited for its source/).waitFor();
  await inspect(page, "run-success");
  await page.getByRole("button", { name: "Outline" }).click();
  await page.getByRole("table", { name: "Blocks of the run" }).waitFor();
  await inspect(page, "run-outline");
  await page.getByRole("tab", { name: "Timeline" }).click();
  await page
    .getByRole("button", { name: /^Try 1: done/ })
    .first()
    .waitFor();
  await inspect(page, "run-timeline");
  await page.getByRole("tab", { name: "Data" }).click();
  await page.getByText("In its target").waitFor();
  await inspect(page, "run-data");
  expect(psql("select count(*) from e2e_features")).toBe("500000");

  await page.getByRole("button", { name: "Re-run" }).click();
  await page.getByRole("button", { name: "Cancel", exact: true }).waitFor();
  expect(page.url()).not.toContain(run);
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await page.getByText("Cancelled", { exact: true }).first().waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Retry from the failed block" }).waitFor();
  await page.getByRole("link", { name: "Compare with the one before" }).click();
  await page.getByRole("table", { name: "Blocks of both runs" }).waitFor();
  await inspect(page, "runs-compare");
  await page.goto("/runs");
  await page.getByRole("row").filter({ hasText: "Cancelled" }).waitFor();
  await inspect(page, "runs-full", ["usual", "small", "large"]);
  expect(errors).toEqual([]);
});

test("rows that could not be read are shown with their reasons", { timeout: 120_000 }, async () => {
  const person = await signUp();
  const folder = join(inject("home"), `aside-${person.email}`);
  mkdirSync(folder);
  const lines = Array.from({ length: 300 }, (_, at) => (at % 20 === 9 ? "x,broken" : `${at},good`));
  writeFileSync(join(folder, "orders.csv"), `id,name\n${lines.join("\n")}\n`);
  const text = (quarantine: string) =>
    `connections:\n  files: "file://${folder}"\nblocks:\n  orders: {extract: files/orders.csv, types: {id: int64}, ` +
    `bad_rows: {quarantine: ${quarantine}}}\n  out: {load: orders, to: files/out.csv}\n`;
  const made = async (name: string, quarantine: string) =>
    identified.parse(await person.call("POST", "/pipelines", { name, text: text(quarantine) })).id;
  const run = await begin(person, await made("lenient", "10%"));
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto(`/runs/${run}`);
  await page.getByRole("tab", { name: "Quarantine" }).click();
  await page.getByText("15 rows could not be read and were put aside; all others went on.").waitFor();
  const rows = page.getByRole("table", { name: "Rows in quarantine" }).getByRole("row");
  await rows
    .filter({ hasText: /line 11\D/ })
    .getByText("x,broken")
    .waitFor();
  expect(await rows.count()).toBe(1 + 15);
  await inspect(page, "run-quarantine", ["usual", "small"]);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download all" }).click();
  const saidLines = readFileSync(await (await saved).path(), "utf8")
    .trim()
    .split("\n");
  expect(saidLines.map((line) => z.object({ row: z.string() }).parse(JSON.parse(line)).row.trim())).toEqual(
    Array.from({ length: 15 }, () => "x,broken"),
  );

  const failed = await begin(person, await made("strict", "2"));
  await page.goto(`/runs/${failed}?tab=quarantine`);
  await rows.filter({ hasText: "line 51" }).getByText("x,broken").waitFor({ timeout: 30_000 });
  await page.getByText("3 rows could not be read and were put aside.").waitFor();
  expect(errors).toEqual([]);
});

test("a run that failed says why, and goes on once that is mended", { timeout: 120_000 }, async () => {
  psql(SLOW);
  psql("update divisor set by = 0");
  const person = await signUp();
  const broken = await pipeline(
    person,
    "broken",
    "  orders: {extract: shop.public.broken, sync: {cursor: id}}\n  copy: {load: orders, to: shop.public.e2e_copy, write: append}\n",
  );
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  const run = await begin(person, broken);
  await page.goto(`/runs/${run}?tab=error`);
  await page.getByText("Division by zero (22012).").waitFor();
  await inspect(page, "run-failed", ["usual", "small"]);
  await page.getByRole("link", { name: "Its lines in the log" }).click();
  await page.getByRole("log").getByText("failed: connection").first().waitFor();

  await page.goto("/runs?status=failed&q=zero");
  await page.getByRole("row").filter({ hasText: "broken" }).waitFor();
  await expectAccessible(page);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Error" }).waitFor();
  psql("update divisor set by = 1");
  await page.getByRole("button", { name: "Retry from the failed block" }).click();
  await page.getByText("Succeeded", { exact: true }).first().waitFor({ timeout: 30_000 });
  expect(psql("select count(*) from e2e_copy")).toBe("10");
  await page.getByRole("tab", { name: "State" }).click();
  await page.getByRole("row").filter({ hasText: "orders" }).getByText("this run").waitFor();
  await inspect(page, "run-state");

  await page.goto("/runs");
  await page.getByRole("button", { name: /^Succeeded 1$/ }).waitFor();
  await page.getByRole("button", { name: /: 1 succeeded, 0 failed/ }).click();
  await expect.poll(() => new URL(page.url()).searchParams.has("from")).toBe(true);
  await inspect(page, "runs", ["usual", "small", "large"]);
  await page.getByRole("button", { name: "All times" }).click();
  expect(errors).toEqual([]);
});
