// The list of pipelines, and the wizard that makes one from real tables.
import { expect, test } from "vitest";
import { inspect, openBrowser } from "./browser";
import { letIn, signUp } from "./people";
import { connect, psql } from "./postgres";

const browser = openBrowser();
const SCHEMA = `wizard_${process.pid}`;

test("PL-5: five steps make a pipeline that loads what it should", async () => {
  psql(`create schema ${SCHEMA}; create schema ${SCHEMA}_out;
    create table ${SCHEMA}.orders (id int primary key, card text, changed_at timestamptz default now());
    insert into ${SCHEMA}.orders select n, 'secret' from generate_series(1, 20) n`);
  const person = await signUp({ organization: "Example Works" });
  await connect(person, "shop");
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto("/pipelines/new");
  await page.getByRole("button", { name: "shop" }).click();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Search tables").fill(`${SCHEMA}.ord`);
  await page.getByLabel(`${SCHEMA}.orders`).click();
  await page.getByLabel("Read").click();
  await page.getByRole("option", { name: "New by changed_at" }).click();
  await page.getByText("Columns: all").click();
  await page.getByLabel("card").click();
  await inspect(page, "wizard-tables", ["usual", "small"]);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "shop" }).click();
  await page.getByLabel("Schema").fill(`${SCHEMA}_out`);
  await page.getByRole("button", { name: "Next" }).click();
  expect(await page.getByRole("radio", { name: /^Merge/ }).isChecked()).toBe(true);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Name").fill("orders_copied");
  await page.getByText("Nothing is wrong with it.").waitFor();
  await inspect(page, "wizard-review");
  await page.getByRole("button", { name: "Create pipeline" }).click();
  await page.getByRole("heading", { name: "orders_copied" }).waitFor();
  await page.goto("/pipelines");
  await page.getByRole("button", { name: "Run orders_copied now" }).click();
  await page.getByRole("row", { name: /orders_copied.*Succeeded/ }).waitFor();
  expect(psql(`select count(*), max(id) from ${SCHEMA}_out.orders`)).toBe("20|20");
  await inspect(page, "pipelines", ["usual", "small"]);

  await page.getByRole("button", { name: "More about orders_copied" }).click();
  await page.getByRole("menuitem", { name: "Pause" }).click();
  await page.getByRole("row", { name: /Paused/ }).waitFor();
  await page.getByLabel("Search pipelines").fill("nothing like it");
  await page.getByText("No pipeline is like that.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await page.getByRole("button", { name: "More about orders_copied" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete pipeline" }).click();
  await page.getByText("A pipeline reads from your systems").waitFor();
  expect(errors).toEqual([]);
}, 120_000);
