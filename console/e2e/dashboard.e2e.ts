// The dashboard of an organization where something runs, something fails, and something is scheduled.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { inspect, openBrowser } from "./browser";
import { letIn, signUp } from "./people";

const browser = openBrowser();
const made = z.object({ id: z.string() });

test("it follows by itself what happens", async () => {
  const folder = mkdtempSync(join(tmpdir(), "flowetl-e2e-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "orders.csv"), "id,total\n1,10\n2,20\n");
  const { page, context, errors } = await browser.visit();
  const person = await signUp({ organization: "Example Works" });
  await letIn(context, person);
  await person.call("POST", "/connections", { name: "lake", type: "file", config: { path: folder } });
  const pipeline = async (name: string, file: string, more = "") => {
    const text = `name: ${name}\n${more}blocks:\n  rows: {extract: lake/${file}}\n  out: {load: rows, to: lake/${name}.parquet}\n`;
    return made.parse(await person.call("POST", "/pipelines/apply", { text })).id;
  };
  const good = await pipeline(
    "orders",
    "orders.csv",
    'schedule: {cron: "0 3 * * *", timezone: Europe/Warsaw}\n',
  );
  const bad = await pipeline("refunds", "refunds.csv");
  await page.goto("/");
  await page.getByText("Nothing has run yet.").waitFor();

  // Nobody asks for it: the page hears of it.
  await person.call("POST", `/pipelines/${good}/run`, {});
  await person.call("POST", `/pipelines/${bad}/run`, {});
  await page.getByRole("link", { name: "Open run: refunds" }).waitFor({ timeout: 30_000 });
  const runs = page.getByRole("table", { name: "Recent runs" });
  await runs.getByText("Succeeded").waitFor({ timeout: 30_000 });
  await runs.getByText("Failed").waitFor();
  await page.getByRole("listitem").getByRole("link", { name: "orders" }).first().waitFor();
  await inspect(page, "dashboard-full", ["usual", "small", "large"]);
  await page.getByRole("link", { name: "Open run: refunds" }).click();
  await page.waitForURL("**/runs/*");
  await page.getByRole("heading", { name: "refunds" }).waitFor();
  expect(errors).toEqual([]);
});
