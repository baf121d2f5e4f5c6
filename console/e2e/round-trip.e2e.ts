// A pipeline goes from its file to the canvas, is changed there, and comes back by the command line as what it is.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { z } from "zod";
import { openBrowser } from "./browser";
import { letIn, PASSWORD, signUp } from "./people";
import { BINARY } from "./service";

const browser = openBrowser();
const found = z.object({ pipelines: z.array(z.object({ id: z.string() })) });
const kept = z.object({ text: z.string(), revision: z.number() });

const FILE = `# What the console knows nothing of stays as it is written.
name: both_ways
description: 'in quotes'

blocks:
  # The source.
  orders:
    extract: /tmp/orders.csv # by day
    types: {id: int64, "total": 'decimal128(10, 2)'}
  large: # the large ones
    sql: |
      select *
      from orders -- all of them
      where total > 1e3
  out:
    load: large
    to: /tmp/large.parquet

# The end.
`;

test("promise 10: what is drawn, exported and applied again is no new revision, and loses nothing", async () => {
  const person = await signUp();
  const folder = mkdtempSync(join(tmpdir(), "flowetl-both-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const flowetl = (...words: string[]) =>
    execFileSync(BINARY, words, {
      encoding: "utf8",
      cwd: folder,
      env: { ...process.env, FLOWETL_HOME: folder, FLOWETL_PASSWORD: PASSWORD },
    });
  flowetl("login", "--server", inject("baseUrl"), "--email", person.email);
  // From the folder that it is applied from again: relative paths would begin there.
  writeFileSync(join(folder, "both_ways.yml"), FILE);
  flowetl("apply", "both_ways.yml");
  const { pipelines } = found.parse(await person.call("GET", "/pipelines"));
  const id = pipelines[0]?.id ?? "";
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto(`/pipelines/${id}?block=out`);
  const drawer = page.getByRole("complementary");
  await drawer.getByRole("button", { name: "More settings" }).click();
  await drawer.getByRole("combobox", { name: "Write" }).click();
  await page.getByRole("option", { name: "append" }).click();
  await page.goto(`/pipelines/${id}?block=out`);
  // Leaving without saving keeps nothing.
  await page.getByText("Saved · revision 1").waitFor();
  await drawer.getByRole("button", { name: "More settings" }).click();
  await drawer.getByRole("combobox", { name: "Write" }).click();
  await page.getByRole("option", { name: "append" }).click();
  await page.locator('.react-flow__node[data-id="orders"]').click();
  await drawer.getByLabel("Name", { exact: true }).fill("purchases");
  await page.keyboard.press("Enter");
  await page.locator('.react-flow__node[data-id="purchases"]').waitFor();
  await page.keyboard.press("Control+s");
  await page.getByRole("button", { name: "Save revision" }).click();
  await page.getByText("Saved · revision 2").waitFor();

  const exported = flowetl("export", "both_ways");
  const drawn = FILE.replace("  orders:", "  purchases:")
    .replace("from orders", "from purchases")
    .replace("large: # the large ones\n", "large:\n    # the large ones\n")
    .replace("large.parquet\n", "large.parquet\n    write: append\n");
  expect(exported).toBe(drawn);
  writeFileSync(join(folder, "both_ways.yml"), exported);
  expect(flowetl("apply", "both_ways.yml")).toContain("unchanged, revision 2");
  const { text, revision } = kept.parse(await person.call("GET", `/pipelines/${id}`));
  expect([text, revision]).toEqual([drawn, 2]);
  // And the other way: what the file says next is drawn.
  writeFileSync(join(folder, "both_ways.yml"), exported.replace("write: append", "write: replace"));
  flowetl("apply", "both_ways.yml");
  await page.getByText("Saved · revision 3").waitFor();
  expect(errors).toEqual([]);
});
