// A pipeline drawn on the canvas: joined, refused, previewed, planned, run, and brought back.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { z } from "zod";
import { beyondCanvas, inspect, openBrowser } from "./browser";
import { letIn, type Person, signUp } from "./people";
import { connect, psql } from "./postgres";

const browser = openBrowser();
const SCHEMA = `drawn_${process.pid}`;

async function prepared(): Promise<Person> {
  psql(`create schema if not exists ${SCHEMA};
    drop table if exists ${SCHEMA}.orders, ${SCHEMA}.totals;
    create table ${SCHEMA}.orders (id int primary key, customer text, total numeric(10,2));
    insert into ${SCHEMA}.orders select n, 'c' || n % 3, n * 1.5 from generate_series(1, 30) n`);
  const person = await signUp({ organization: "Example Works" });
  await connect(person, "shop");
  return person;
}

const made = z.object({ id: z.string() });

const node = (page: Page, id: string) => page.locator(`.react-flow__node[data-id="${id}"]`);
const port = (page: Page, id: string, side: "source" | "target") =>
  node(page, id).locator(`.react-flow__handle.${side}`);

async function drag(page: Page, from: ReturnType<typeof port>, to: ReturnType<typeof port>) {
  await from.hover();
  await page.mouse.down();
  await to.hover();
  await page.mouse.up();
}

test("PL-9: a pipeline is drawn, previewed, planned and run", async () => {
  const person = await prepared();
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto("/pipelines");
  await page.getByText("A pipeline reads from your systems").waitFor();
  await inspect(page, "pipelines-empty");
  await page.getByRole("main").getByRole("button", { name: "New pipeline" }).first().click();
  await page.getByLabel("Name").fill("totals");
  await inspect(page, "pipelines-new");
  await page.getByRole("button", { name: "Create draft" }).click();
  await page.getByRole("heading", { name: "totals" }).waitFor();

  // From the palette: the chosen block is joined with the next one.
  await page.getByRole("button", { name: "Add Extract" }).click();
  await node(page, "extract").waitFor();
  await page.getByLabel("Connection:").click();
  await page.getByRole("option", { name: "shop" }).click();
  await page.getByRole("combobox", { name: "Table:" }).click();
  await page.getByLabel("Search Table").fill("orders");
  await page.getByRole("option", { name: `${SCHEMA}.orders` }).click();
  await page.getByLabel("Name").fill("orders");
  await page.keyboard.press("Enter");
  await node(page, "orders").waitFor();
  await page.getByRole("button", { name: "Add SQL", exact: true }).click();
  await node(page, "sql").waitFor();
  await page.getByRole("textbox", { name: "SQL of sql" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("select customer, sum(total) as total from orders group by customer");
  await page.getByRole("button", { name: "Add Load" }).click();
  await node(page, "load").waitFor();
  await page.locator("aside").getByRole("textbox").last().fill(`shop.${SCHEMA}.totals`);
  await page
    .getByText("Nothing is wrong.")
    .or(page.getByRole("tab", { name: "Problems", exact: true }))
    .first()
    .waitFor();
  expect(await beyondCanvas(page)).toEqual([]);
  await inspect(page, "editor", ["usual", "small"]);

  // An end gives nothing, and rows are no table of a database.
  await page.getByRole("button", { name: "Add SQL in the database" }).click();
  await node(page, "sql_2").waitFor();
  await drag(page, port(page, "orders", "source"), port(page, "sql_2", "target"));
  await page.getByText("gives rows (S3_FILE), but “sql_2” reads a table in a database (DB_TABLE)").waitFor();
  await page.getByRole("tab", { name: /Problems \(/ }).click();
  await page.getByRole("list", { name: "Problems" }).getByRole("button").first().waitFor();
  await inspect(page, "editor-problems");
  await node(page, "sql_2").focus();
  await page.keyboard.press("Delete");
  await page.getByText("Nothing is wrong.").waitFor();

  await node(page, "sql").click();
  await page.getByRole("button", { name: "Preview to here" }).click();
  await page.getByRole("cell", { name: "c0" }).waitFor();
  expect(psql(`select to_regclass('${SCHEMA}.totals') is null`)).toBe("t");
  await inspect(page, "editor-preview");
  await page.getByRole("button", { name: "Profile" }).click();
  await page.getByText("the profile is of these alone").waitFor();
  await page.getByRole("table", { name: /^Profile of the rows of/ }).waitFor();
  await inspect(page, "editor-profile", ["usual", "small"]);
  await page.getByRole("button", { name: "Profile" }).click();
  await page.getByRole("tab", { name: "Plan" }).click();
  await page.getByRole("button", { name: "Plan", exact: true }).click();
  await page.getByText("Columns:").waitFor();
  await inspect(page, "editor-plan");

  await page.getByRole("button", { name: "Activate" }).click();
  await page.getByText("totals is active.").first().waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByText("A run of totals has begun.").waitFor();
  await page.getByRole("link", { name: /Last run Succeeded/ }).waitFor();
  expect(psql(`select count(*) from ${SCHEMA}.totals`)).toBe("3");
  expect(errors).toEqual([]);
}, 240_000);

const FILE = `# totals by customer
blocks:
  orders: {extract: shop.${SCHEMA}.orders}
  totals:
    sql: select customer, sum(total) as total from orders group by customer
  out: {load: totals, to: shop.${SCHEMA}.totals}
`;

test("a change becomes a revision, is brought back, and overwrites nobody", async () => {
  const person = await prepared();
  const { id } = made.parse(await person.call("POST", "/pipelines", { name: "totals", text: FILE }));
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto(`/pipelines/${id}?block=totals`);
  const query = page.getByRole("textbox", { name: "SQL of totals" });
  const file = page.getByRole("textbox", { name: "The pipeline as YAML" });
  const add = async (text: string) => {
    await query.click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type(text);
    await page.getByText("Changes not saved").waitFor();
  };
  await add(" limit 2");
  await file.getByText("limit 2").waitFor();
  await file.getByText("# totals by customer").waitFor();
  await page.keyboard.press("Control+s");
  await page.getByLabel("What was changed").fill("Only two");
  await page.keyboard.press("Enter");
  await page.getByText("Saved · revision 2").waitFor();
  await page.getByRole("button", { name: "Revisions" }).click();
  await page.getByText("Only two").waitFor();
  await page.getByText("changed: totals").waitFor();
  await inspect(page, "editor-revisions");
  await page.getByRole("button", { name: "Restore revision 1" }).click();
  await page.getByRole("button", { name: "Bring it back" }).click();
  await page.getByText("Saved · revision 3").waitFor();
  await file.getByText("limit 2").waitFor({ state: "detached" });

  await add(" limit 1");
  await person.call("PUT", `/pipelines/${id}`, { text: `${FILE}description: theirs\n` });
  await page.keyboard.press("Control+s");
  await page.getByRole("button", { name: "Save revision" }).click();
  await page.getByText("Somebody else has changed this pipeline").first().waitFor();
  await page.keyboard.press("Escape");
  await inspect(page, "editor-conflict");
  await page.getByRole("button", { name: "Take theirs" }).click();
  await file.getByText("description: theirs").waitFor();
  expect(errors.filter((error) => !error.includes("412"))).toEqual([]);
}, 120_000);

test("the keyboard alone draws a pipeline, and the outline says the same", async () => {
  const person = await prepared();
  const { id } = made.parse(
    await person.call("POST", "/pipelines", { name: "typed", text: "blocks: {}\n", status: "draft" }),
  );
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto(`/pipelines/${id}`);
  await page.getByRole("button", { name: "Add Extract" }).focus();
  await page.keyboard.press("Enter");
  await node(page, "extract").waitFor();
  await page.getByRole("button", { name: "Close settings" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Add Load" }).focus();
  await page.keyboard.press("Enter");
  await node(page, "load").waitFor();
  await node(page, "load").focus();
  await page.keyboard.press("ArrowUp");
  await page.locator('.react-flow__node[data-id="extract"]:focus').waitFor();
  await page.keyboard.press("a");
  await page.keyboard.press("ArrowDown");
  await page.getByText("Enter lets load read extract.").waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".react-flow__edge").waitFor({ state: "attached" });
  await page.keyboard.press("a");
  await page.keyboard.press("ArrowLeft");
  await page.getByText("“load” gives nothing").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: "Settings of load" }).waitFor();
  await page.keyboard.press("Control+z");
  await page.locator(".react-flow__edge").waitFor({ state: "detached" });
  await page.keyboard.press("Control+y");
  await page.locator(".react-flow__edge").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Outline" }).focus();
  await page.keyboard.press("Enter");
  const rows = page.getByRole("treegrid").getByRole("row");
  await rows.filter({ hasText: "extract" }).first().waitFor();
  await inspect(page, "editor-outline", ["usual", "small"]);
  await rows.nth(2).focus();
  await page.keyboard.press("Delete");
  await page.getByText("Block load is removed.").first().waitFor();
  await page.getByText("Saved").first().waitFor();
  expect(errors).toEqual([]);
}, 120_000);
