// Transformations: made of what a pipeline has loaded, compiled, tested, run, and found in the lineage.
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { inspect, openBrowser } from "./browser";
import { letIn, type Person, signUp } from "./people";
import { connect, psql } from "./postgres";

const browser = openBrowser();
const made = z.object({ id: z.string() });
/** What the service refuses, as it should. */
const REFUSED = /^4\d\d \/api\/v1\/transformations\/|^console: Failed to load resource/;
const stands = z.object({ status: z.string() });

/** A table with rows, loaded by a pipeline into another schema, so that it is a source. */
async function load(person: Person, schema: string): Promise<void> {
  await connect(person, "shop");
  const text = `name: shop\nblocks:\n  rows: {extract: shop.${schema}.orders}\n  out: {load: rows, to: shop.${schema}_raw.orders}\n`;
  const { id } = made.parse(await person.call("POST", "/pipelines", { name: "shop", text }));
  const run = made.parse(await person.call("POST", `/pipelines/${id}/run`, {}));
  await expect
    .poll(async () => stands.parse(await person.call("GET", `/runs/${run.id}`)).status, { timeout: 30_000 })
    .toBe("success");
}

test("UI-9: a transformation is made of a loaded table, compiled, tested, run and seen in the lineage", async () => {
  const schema = `models_${process.pid}`;
  // Beside the warehouse's, schemas are named with their connection.
  const source = `shop_${schema}_raw`;
  const all = [schema, `${schema}_raw`, `${schema}_marts`];
  psql(all.map((name) => `create schema ${name};`).join(""));
  onTestFinished(() => void psql(all.map((name) => `drop schema ${name} cascade;`).join("")));
  psql(
    `create table ${schema}.orders (id bigint primary key, customer text, total numeric(10,2));
     insert into ${schema}.orders select n, 'c' || n % 3, n * 1.5 from generate_series(1, 30) n;`,
  );
  const person = await signUp({ organization: "Example Works" });
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto("/");
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  for (const key of ["g", "t"]) await page.keyboard.press(key);
  await page.getByText("makes a table or a view of what pipelines have loaded").waitFor();
  await inspect(page, "transformations-empty", ["usual", "small"]);

  await load(person, schema);
  await page.getByRole("main").getByRole("button", { name: "New transformation" }).click();
  const dialog = page.getByRole("dialog", { name: "New transformation" });
  await dialog.getByLabel("Name").fill("totals");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("The schema that its table or view lies in.").waitFor();
  await dialog.getByLabel("Schema").fill(`${schema}_marts`);
  await inspect(page, "transformation-new", ["usual", "small"]);
  await dialog.getByRole("button", { name: "Create" }).click();

  // It begins with what was loaded; what is typed is compiled before it is saved.
  await page.getByRole("heading", { name: "totals" }).waitFor();
  const box = page.getByRole("textbox", { name: "SQL of totals" });
  await box.getByText(`{{ source('${source}', 'orders') }}`).waitFor();
  await box.fill("select customer, sum(total) as total\nfrom ");
  await page.getByRole("button", { name: /^orders/ }).click();
  await page.keyboard.type("\ngroup by customer");
  await inspect(page, "transformation-sql", ["usual", "small", "large"]);
  await page.getByRole("tab", { name: "Compiled" }).click();
  await page.getByText("The database understands it.").waitFor();
  await page.getByText(`shop.${schema}_marts.totals`).first().waitFor();
  await inspect(page, "transformation-compiled");
  await page.getByRole("tab", { name: "SQL" }).click();
  await box.fill("select nothing from nowhere");
  await page.getByRole("tab", { name: "Compiled" }).click();
  await page.getByRole("alert").getByText("nowhere").first().waitFor();
  expect(errors.splice(0).filter((error) => !REFUSED.test(error))).toEqual([]);
  await inspect(page, "transformation-wrong");
  await page.getByRole("button", { name: "Drop changes" }).click();
  await page.getByText("The database understands it.").waitFor();
  await page.getByRole("tab", { name: "SQL" }).click();
  await box.fill(
    `select customer, sum(total) as total\nfrom {{ source('${source}', 'orders') }}\ngroup by customer`,
  );
  // What is not saved yet is looked at, too.
  await page.getByRole("tab", { name: "Preview" }).click();
  await page.getByRole("button", { name: "Preview", exact: true }).click();
  await page.getByText("All 3 rows").waitFor();
  const paid = psql(
    `select customer || ' ' || sum(total) from ${schema}.orders where customer = 'c1' group by customer`,
  );
  const [customer = "", total = ""] = paid.split(" ");
  const row = page
    .getByRole("table", { name: "Rows of totals" })
    .getByRole("row")
    .filter({ hasText: customer });
  await row.getByText(total, { exact: true }).waitFor();
  await inspect(page, "transformation-preview", ["usual", "small"]);

  await page.getByRole("tab", { name: "Tests" }).click();
  await page.getByLabel("Another column").fill("customer");
  await page.getByLabel("Another column").press("Enter");
  await page.getByRole("checkbox", { name: "customer is unique" }).click();
  await page.getByRole("checkbox", { name: "customer is not null" }).click();
  await page.getByLabel("Values that customer may hold").fill("c0, c1, c2");
  await page.getByLabel("Rows").fill("= 3");
  await inspect(page, "transformation-tests", ["usual", "small", "large"]);
  await page.getByRole("tab", { name: "Settings" }).click();
  await page.getByLabel("Description").fill("What each customer has paid");
  await page.getByRole("combobox", { name: "Becomes" }).click();
  await page.getByRole("option", { name: "Table" }).click();
  await inspect(page, "transformation-settings");
  await page.keyboard.press("Control+s");
  await page.getByRole("button", { name: "Saved" }).waitFor();
  const { transformations } = z
    .object({ transformations: z.array(z.object({ tests: z.unknown(), materialization: z.string() })) })
    .parse(await person.call("GET", "/transformations"));
  expect(transformations).toMatchObject([
    {
      materialization: "table",
      tests: {
        unique: ["customer"],
        not_null: ["customer"],
        accepted_values: { customer: ["c0", "c1", "c2"] },
        rows: "= 3",
      },
    },
  ]);

  await page.getByRole("button", { name: "Run and test" }).click();
  await page.getByText("Succeeded").first().waitFor();
  expect(psql(`select count(*) from ${schema}_marts.totals`)).toBe("3");
  await page.goBack();
  await page.getByRole("tab", { name: "Lineage" }).click();
  await page.getByText("Succeeded").waitFor();
  await inspect(page, "transformation-lineage");
  await page.getByRole("link", { name: "Show its lineage" }).click();
  await page
    .getByRole("complementary", { name: "About totals" })
    .getByRole("link", { name: "Open" })
    .waitFor();
  await inspect(page, "lineage-transformation", ["usual", "large"]);

  // Another that refers to it, so that it cannot go.
  await person.call("POST", "/transformations", {
    name: "best",
    description: "Those who have paid most",
    connection: "shop",
    schema_name: `${schema}_marts`,
    sql_body: "select * from {{ ref('totals') }} where total > {{ var('least') }}",
    params: { least: { type: "integer" } },
  });
  for (const key of ["g", "t"]) await page.keyboard.press(key);
  const table = page.getByRole("table", { name: "Transformations" });
  await table.getByRole("row", { name: /totals.*Table.*4 tests.*Succeeded/ }).waitFor();
  await table.getByRole("row", { name: /best.*View.*totals.*never/ }).waitFor();
  await inspect(page, "transformations", ["usual", "small", "large"]);

  // Who runs it says what it is told; its runs are found.
  await table.getByRole("button", { name: "Run best now" }).click();
  const run = page.getByRole("dialog", { name: "Run best" });
  await run.getByRole("button", { name: "Run", exact: true }).click();
  await run.getByText("least is missing.").waitFor();
  await run.getByLabel("least").fill("0");
  await inspect(page, "transformation-run", ["usual", "small"]);
  await run.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByText("A run of best has begun.").waitFor();
  await table.getByRole("button", { name: "More about best" }).click();
  await page.getByRole("menuitem", { name: "Its runs" }).click();
  const runs = page.getByRole("table", { name: "Runs" });
  await runs.getByRole("row", { name: /best.*Succeeded/ }).waitFor();
  expect(await runs.getByRole("row", { name: /totals/ }).count()).toBe(0);
  await page.getByRole("combobox", { name: "Runs of: best" }).click();
  await page.getByRole("option", { name: /totals/ }).click();
  await runs.getByRole("row", { name: /totals.*Succeeded/ }).waitFor();
  expect(await runs.getByRole("row", { name: /best/ }).count()).toBe(0);
  expect(psql(`select count(*) from ${schema}_marts.best`)).toBe("3");
  for (const key of ["g", "t"]) await page.keyboard.press(key);

  // It runs by itself, too, after what it needs.
  await table.getByRole("button", { name: "More about best" }).click();
  await page.getByRole("menuitem", { name: "New schedule" }).click();
  const schedule = page.getByRole("dialog", { name: "New schedule" });
  await schedule.getByRole("combobox", { name: "What runs: best" }).waitFor();
  await schedule.getByLabel("Cron line").fill("30 3 * * *");
  await schedule.getByLabel("least").fill("200");
  await schedule.getByText("Make what it refers to first").click();
  await inspect(page, "schedule-transformation", ["usual", "small"]);
  await schedule.getByRole("button", { name: "Create schedule" }).click();
  await page.getByRole("row", { name: /best.*transformation, after what it needs.*30 3/ }).waitFor();
  for (const key of ["g", "t"]) await page.keyboard.press(key);

  await table.getByRole("button", { name: "More about totals" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete transformation" }).click();
  await page.getByRole("alert").getByText("best").waitFor();
  expect(errors.splice(0).filter((error) => !REFUSED.test(error))).toEqual([]);
  await page.getByRole("button", { name: "Cancel" }).click();
  expect(errors).toEqual([]);
});
