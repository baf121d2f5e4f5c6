// What lies behind a real PostgreSQL: found, searched, opened, previewed, and what changes of it.
import { describe, expect, test } from "vitest";
import { inspect, openBrowser } from "./browser";
import { POSTGRES, psql } from "./postgres";
import { letIn, signUp } from "./people";

const browser = openBrowser();
const MANY = 20_000;

describe("with PostgreSQL", () => {
  test("SD-4: tables are found, searched, opened and previewed; changes are told; a pipeline begins", async () => {
    const server = new URL(POSTGRES);
    psql(`
      drop database if exists explored;
      create database explored;
    `);
    const inExplored = (text: string) => psql(`\\c explored\n${text}`);
    inExplored(`
      create table customers (id bigint primary key, name text not null, city text);
      create table orders (
        id bigint primary key, customer_id bigint not null references customers (id),
        amount numeric(10,2), note text, at timestamptz
      );
      create view big_orders as select * from orders where amount > 100;
      insert into customers select n, 'customer ' || n, case when n % 3 = 0 then null else 'Kraków' end
        from generate_series(1, 500) n;
      insert into orders select n, 1 + n % 500, n * 1.5, case n when 1 then repeat('long ', 5000) end, now()
        from generate_series(1, 2000) n;
      analyze;
      create schema many;
    `);
    for (let from = 0; from < MANY; from += 2_000)
      inExplored(`do $$ begin
        for n in ${from}..${from + 1_999} loop
          execute format('create table many.t_%s (id int)', lpad(n::text, 5, '0'));
        end loop; end $$;`);

    const { page, context, errors } = await browser.visit();
    const person = await signUp();
    await letIn(context, person);
    await page.goto("/explorer");
    await page.getByText("add the first one").waitFor();
    await inspect(page, "explorer-empty");
    await person.call("POST", "/connections", {
      name: "shop",
      type: "postgres",
      host: server.hostname,
      port: Number(server.port),
      database: "explored",
      username: server.username,
    });
    await person.call("POST", "/connections", { name: "lake", type: "file", config: { path: "/tmp/lake" } });
    await page.reload();
    await page.getByText("Open a connection").waitFor();
    await page.getByRole("treeitem", { name: "shop" }).click();
    await page.getByText("Nothing is known of shop yet").waitFor();
    await inspect(page, "explorer-never");
    await page.getByRole("button", { name: "Look at it" }).click();
    await page.getByText("This was the first look").waitFor({ timeout: 60_000 });
    await page.getByText("Looked at").waitFor();

    // Open by the keyboard; page after page of many tables, of which only what is seen is drawn.
    await page.getByRole("treeitem", { name: "many" }).click();
    await page.getByRole("treeitem", { name: "t_00000" }).waitFor();
    expect(await page.getByRole("treeitem").count()).toBeLessThan(80);
    const tree = page.getByRole("tree");
    for (let pages = 0; pages < 3; pages += 1) {
      const before = await tree.evaluate((box) => (box.scrollTop = box.scrollHeight));
      await expect.poll(() => tree.evaluate((box) => box.scrollHeight)).toBeGreaterThan(before);
    }
    await page.getByRole("treeitem", { name: "t_01" }).first().waitFor();
    await inspect(page, "explorer-many", ["usual"]);

    await page.keyboard.press("/");
    await page.keyboard.type("order");
    await page.getByRole("treeitem", { name: "big_orders" }).waitFor();
    expect(new URL(page.url()).searchParams.get("q")).toBe("order");
    await page.getByRole("treeitem", { name: "orders", exact: false }).last().click();
    await page.getByRole("heading", { name: "orders" }).waitFor();
    await page.getByText("Primary key").first().waitFor();
    await page.getByText("numeric(10,2)").waitFor();
    await page.getByRole("main").getByText("customers.id").waitFor();
    await inspect(page, "explorer-columns", ["usual", "small", "large"]);
    await page.getByRole("tab", { name: "Relationships" }).click();
    await page.getByText("many to one").waitFor();
    await inspect(page, "explorer-relationships");
    await page.getByRole("tab", { name: "Preview" }).click();
    await page.getByText("Read-only").waitFor();
    await page.getByText("The first 100 rows, 5 columns").waitFor();
    await page.getByText("are longer than shown").waitFor();
    await inspect(page, "explorer-preview", ["usual", "small"]);
    await page.reload();
    await page.getByText("The first 100 rows, 5 columns").waitFor();

    inExplored(`
      drop view big_orders;
      alter table orders alter amount type numeric(12,2), add channel text;
    `);
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByText("It has changed since the look before.").waitFor({ timeout: 60_000 });
    await page.getByText("numeric(12,2)").first().waitFor();
    await inspect(page, "explorer-changed");
    await page.getByRole("button", { name: "Clear search" }).click();
    await tree.getByRole("treeitem", { name: "shop" }).click();
    await page.getByRole("heading", { name: "What has changed" }).waitFor();
    await page.getByText("Column added").waitFor();
    await inspect(page, "explorer-drift");

    await page.getByRole("link", { name: "public.orders" }).first().click();
    await page.getByRole("button", { name: "Create pipeline" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("extract: shop.public.orders").waitFor();
    await inspect(page, "explorer-pipeline");
    await dialog.getByRole("button", { name: "Create draft" }).click();
    await page.getByText("was created as a draft").first().waitFor();
    expect(JSON.stringify(await person.call("GET", "/pipelines"))).toContain('"orders"');
    expect(errors).toEqual([]);
  }, 240_000);
});
