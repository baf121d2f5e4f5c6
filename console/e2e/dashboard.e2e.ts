// The dashboard of an organization where something runs, something fails, and something is scheduled.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
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

test("whoever has nothing yet looks around with a sample shop", async () => {
  const { page, context, errors } = await browser.visit();
  const person = await signUp();
  await letIn(context, person);
  await page.goto("/");
  await page.getByRole("heading", { name: "Nothing has been built here yet" }).waitFor();
  await inspect(page, "dashboard-empty", ["usual", "small", "large"]);
  await page.getByRole("button", { name: "Try a sample shop" }).click();
  await page.waitForURL("**/runs/*");
  await page.getByRole("heading", { name: "sample-shop" }).waitFor();
  await page.getByText("Succeeded", { exact: true }).first().waitFor({ timeout: 60_000 });
  await inspect(page, "sample-run");

  // What it made lies among the files.
  await page.goto("/files");
  await page.getByRole("button", { name: "sample", exact: true }).click();
  const made = page.getByRole("row").filter({ hasText: "revenue.parquet" });
  await made.getByRole("link", { name: "by sample-shop" }).waitFor();
  await inspect(page, "files-written", ["usual", "small"]);
  await page.getByRole("button", { name: "Preview revenue.parquet" }).click();
  await page.getByText("All 91 rows, 4 columns").waitFor();
  await inspect(page, "files-written-preview");
  await page.getByRole("dialog").getByRole("link", { name: "by sample-shop" }).click();
  await page.waitForURL("**/runs/*");
  await page.getByRole("heading", { name: "sample-shop" }).waitFor();

  // Who bought most, by the files themselves.
  const home = inject("home");
  const lines = (name: string) => {
    const path = readdirSync(home, { recursive: true, encoding: "utf8" }).find((path) =>
      path.endsWith(`/sample/${name}`),
    );
    return readFileSync(join(home, path ?? name), "utf8")
      .trimEnd()
      .split("\n")
      .slice(1);
  };
  const cents = new Map<string, number>();
  for (const line of lines("orders.csv")) {
    const [, customer = "", , amount = "", status] = line.split(",");
    const more = status === "cancelled" ? 0 : Math.round(Number(amount) * 100);
    cents.set(customer, (cents.get(customer) ?? 0) + more);
  }
  const most = [...cents].sort(([a, one], [b, other]) => other - one || Number(a) - Number(b)).slice(0, 20);
  const said = lines("best_customers.csv").map((line) => line.split(","));
  expect(said.map(([id, , , , revenue]) => [id, Math.round(Number(revenue) * 100)])).toEqual(most);
  expect(errors).toEqual([]);
});
