// How long the longest frame is where much is shown: figures, to be taken while nothing else runs.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, expect, inject, test } from "vitest";
import { z } from "zod";
import { openBrowser, settled } from "./browser";
import { measure, ROUNDS, scroll, tell, wander } from "./measure";
import { letIn, type Person, signUp } from "./people";
import { connect, POSTGRES, psql } from "./postgres";

const browser = openBrowser();
const identified = z.object({ id: z.string() });
const LONG_MS = 1_200_000;
afterEach(tell);

async function inRounds(act: () => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) await act();
}

async function visited(
  person: Person,
): Promise<{ page: Page; errors: string[]; close: () => Promise<void> }> {
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  return { page, errors, close: () => context.close() };
}

async function made(person: Person, name: string, text: string): Promise<string> {
  return identified.parse(await person.call("POST", "/pipelines", { name, text })).id;
}

test("200 connections", { timeout: LONG_MS }, async () => {
  const person = await signUp();
  for (let at = 0; at < 200; at += 1)
    await person.call("POST", "/connections", { name: `shop_${at}`, type: "file", config: { path: "/tmp" } });
  const { page, errors, close } = await visited(person);
  await inRounds(async () => {
    await page.goto("/connections");
    await page.getByRole("listitem").first().waitFor();
    await measure(page, "200 connections, scrolled", () => scroll(page));
    await measure(page, "200 connections, searched", async () => {
      await page.keyboard.press("/");
      await page.keyboard.type("shop_199");
      await page.getByText("1 of 200 connections").waitFor();
    });
  });
  expect(errors).toEqual([]);
  await close();
});

test("1,000 pipelines", { timeout: LONG_MS }, async () => {
  const person = await signUp();
  for (let at = 0; at < 1_000; at += 1)
    await made(person, `orders_${at}`, "blocks: {raw: {extract: raw.csv}, out: {load: raw, to: out.csv}}\n");
  const { page, errors, close } = await visited(person);
  const lines = () => page.getByRole("row").count();
  const more = page.getByRole("button", { name: "Show more" });
  await inRounds(async () => {
    await page.goto("/pipelines");
    await page.getByRole("row").nth(2).waitFor();
    await measure(page, "1,000 pipelines, page after page", async () => {
      while ((await more.count()) > 0) {
        await more.click();
        await settled(page);
      }
    });
    const box = page.getByRole("region", { name: "Pipelines" });
    await measure(page, "1,000 pipelines, scrolled", () => scroll(page, box));
    await measure(page, "1,000 pipelines, searched", async () => {
      await page.keyboard.press("/");
      await page.keyboard.type("orders_999");
      await expect.poll(lines, { timeout: 15_000, interval: 20 }).toBe(2);
    });
  });
  expect(errors).toEqual([]);
  await close();
});

/**
 * Sixty blocks of which each reads one, so that all of them run at the same time: six rows that come slowly, put
 * together at their end.
 */
function sixty(): string {
  const blocks: string[] = [];
  const query = (name: string, sql: string) => blocks.push(`  ${name}: {sql: "${sql}"}`);
  const ends = [0, 1, 2, 3, 4, 5].map((row) => {
    let before = `source_${row}`;
    blocks.push(`  ${before}: {extract: shop.public.slow_many}`);
    for (let at = 0; at < 8; at += 1) {
      query(`step_${row}_${at}`, `select * from ${before} where id % 97 <> ${row * 8 + at}`);
      before = `step_${row}_${at}`;
    }
    return before;
  });
  query("all_rows", ends.map((end) => `select * from ${end}`).join(" union all "));
  let before = "all_rows";
  for (let at = 0; at < 4; at += 1) {
    query(`end_${at}`, `select * from ${before} where id % 97 <> ${48 + at}`);
    before = `end_${at}`;
  }
  blocks.push(`  out: {load: ${before}, to: shop.public.many_out, write: replace}`);
  return `connections:\n  shop: ${POSTGRES}\nblocks:\n${blocks.join("\n")}\n`;
}

test("60 blocks, drawn and running", { timeout: LONG_MS }, async () => {
  psql(`create or replace function slowly(i bigint) returns bigint language plpgsql volatile as
    $$ begin if i % 200 = 0 then perform pg_sleep(0.01); end if; return i; end $$;
    create or replace view slow_many as select slowly(i) as id from generate_series(1::bigint, 3000000) i;`);
  const person = await signUp();
  const id = await made(person, "sixty", sixty());
  const { page, errors, close } = await visited(person);
  await inRounds(() => edited(page));
  const run = identified.parse(await person.call("POST", `/pipelines/${id}/run`, {})).id;
  await inRounds(async () => {
    await page.goto("/runs");
    await page.getByRole("row").nth(1).waitFor();
    await measure(page, "60 blocks, opened while they run", async () => {
      await page.getByRole("link", { name: "sixty" }).first().click();
      await page.locator(".react-flow__node").nth(59).waitFor({ state: "attached" });
      await page.getByRole("group", { name: /^sql step_2_3, running/ }).waitFor();
    });
    await measure(page, "60 blocks, looked at while they run", () => page.waitForTimeout(5_000));
    await measure(page, "60 blocks, moved and zoomed while they run", () => wander(page));
  });
  await person.call("POST", `/runs/${run}/cancel`);
  expect(errors).toEqual([]);
  await close();
});

async function edited(page: Page): Promise<void> {
  await page.goto("/pipelines");
  await page.getByRole("row").nth(1).waitFor();
  await measure(page, "60 blocks, opened in the editor", async () => {
    await page.getByRole("link", { name: "sixty" }).click();
    await page.locator(".react-flow__node").nth(59).waitFor({ state: "attached" });
    await page.getByRole("textbox", { name: "The pipeline as YAML" }).waitFor();
    await settled(page);
  });
  await measure(page, "60 blocks, moved and zoomed in the editor", () => wander(page));
  await page.getByRole("button", { name: "Fit View" }).click();
  await measure(page, "60 blocks, one chosen in the editor", async () => {
    await page.locator('.react-flow__node[data-id="step_2_3"]').click();
    await page.getByRole("textbox", { name: "SQL of step_2_3" }).waitFor();
    await settled(page);
  });
  await measure(page, "60 blocks, one typed into", async () => {
    await page.getByRole("textbox", { name: "SQL of step_2_3" }).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type(" and id > 10 and id < 100000000");
    await settled(page);
  });
}

const LINES = 1_000_000;
const CHUNK = 5_000;

/** As an executor writes them, beside those of a real run. */
function writeLog(run: string): void {
  const folder = join(inject("home"), "storage/logs", run);
  const texts = join(inject("home"), "texts");
  mkdirSync(folder, { recursive: true });
  mkdirSync(texts);
  const begun = Date.now();
  for (let first = 0; first < LINES; first += CHUNK) {
    const lines = Array.from({ length: CHUNK }, (_, at) => {
      const number = first + at;
      const message =
        number === 900_000 ? "the needle is here" : `batch ${number} of the table was read and sent on`;
      return JSON.stringify({
        at: begun + number,
        level: number % 50 ? "info" : "warn",
        block: "orders",
        message,
      });
    });
    writeFileSync(join(texts, `many.${String(first).padStart(12, "0")}.ndjson`), lines.join("\n"));
  }
  execFileSync("zstd", ["-q", "-1", "-r", texts, "--output-dir-flat", folder]);
  rmSync(texts, { recursive: true });
}

test("a log of a million lines", { timeout: LONG_MS }, async () => {
  psql("create or replace view few as select 1 as id");
  const person = await signUp();
  const text = `connections:\n  shop: ${POSTGRES}\nblocks:\n  orders: {extract: shop.public.few}\n  out: {load: orders, to: shop.public.few_copy, write: replace}\n`;
  const pipeline = await made(person, "talkative", text);
  const run = identified.parse(await person.call("POST", `/pipelines/${pipeline}/run`, {})).id;
  const status = async () =>
    z.object({ status: z.string() }).parse(await person.call("GET", `/runs/${run}`)).status;
  await expect.poll(status, { timeout: 60_000 }).toBe("success");
  writeLog(run);
  const { page, errors, close } = await visited(person);
  const log = page.getByRole("log");
  const shown = () => page.getByText(/^[\d,.]+( [kM])? lines/).innerText();
  await page.goto(`/runs/${run}?tab=logs`);
  await log.getByText("batch 3 of").waitFor();
  // Further down each time.
  await inRounds(() => measure(page, "a log, scrolled", () => scroll(page, log)));
  console.info(`a log, scrolled: ${await shown()}`);
  await measure(page, "a log, searched", async () => {
    await page.getByLabel("Search the log").fill("needle");
    await log.getByText("the needle is here").waitFor({ timeout: 120_000 });
  });
  await page.goto(`/runs/${run}?tab=logs`);
  await log.getByText("batch 3 of").waitFor();
  await measure(page, "a log, followed to its end for two minutes at most", async () => {
    await page.getByRole("button", { name: "Follow" }).click();
    await log
      .getByText(`batch ${LINES - 1} of`)
      .waitFor({ timeout: 120_000 })
      .catch(() => null);
  });
  console.info(`a log, followed: ${await shown()}`);
  expect(errors).toEqual([]);
  await close();
});

test("20,000 tables", { timeout: LONG_MS }, async () => {
  psql("drop schema if exists many cascade; create schema many");
  for (let from = 0; from < 20_000; from += 2_000)
    psql(`do $$ begin for n in ${from}..${from + 1_999} loop
      execute format('create table many.t_%s (id int)', lpad(n::text, 5, '0')); end loop; end $$`);
  const person = await signUp();
  await connect(person, "shop");
  const { page, errors, close } = await visited(person);
  await page.goto("/explorer");
  await page.getByRole("treeitem", { name: "shop" }).click();
  await measure(page, "20,000 tables, opened", async () => {
    await page.getByRole("treeitem", { name: "many" }).click();
    await page.getByRole("treeitem", { name: "t_00000" }).waitFor();
  });
  const tree = page.getByRole("tree");
  await measure(page, "20,000 tables, scrolled to the last", async () => {
    const last = page.getByRole("treeitem", { name: "t_19999" });
    while ((await last.count()) === 0) await scroll(page, tree);
  });
  await measure(page, "20,000 tables, searched", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("t_1234");
    await page.getByRole("treeitem", { name: "t_12349" }).waitFor();
  });
  expect(errors).toEqual([]);
  await close();
});
