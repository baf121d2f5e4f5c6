// What who runs the installation sees of it as a whole, and the files that pipelines may begin with.
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { inspect, openBrowser } from "./browser";
import { letIn, PASSWORD, signUp } from "./people";
import { startService } from "./service";

const browser = openBrowser();

test("FI-3: the instance tells its version and health, and is backed up", async () => {
  // Whoever signs up first runs it.
  const { url, stop } = await startService();
  onTestFinished(stop);
  const { page, errors } = await browser.visit();
  await page.goto(`${url}/signup`);
  await page.getByLabel("Name", { exact: true }).fill("Ann Example");
  await page.getByLabel("E-mail").fill("ann@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: /^(Sign up|Create)/ }).click();
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await page.goto(`${url}/settings`);
  await page.getByRole("tab", { name: "Instance" }).click();
  await page.getByText("Leads").waitFor();
  await page.getByText("There is none yet.").waitFor();
  await inspect(page, "settings-instance-empty");
  await page.getByRole("button", { name: "Back up now" }).click();
  const backups = page.getByRole("table", { name: "Backups" });
  await backups.getByRole("row").nth(1).waitFor();
  await inspect(page, "settings-instance", ["small", "usual", "large"]);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: /^Download / }).click(),
  ]);
  expect(readFileSync(await download.path()).length).toBeGreaterThan(0);
  await page.getByRole("button", { name: /^Delete / }).click();
  await page.getByRole("button", { name: "Delete backup" }).click();
  await page.getByText("There is none yet.").waitFor();
  expect(errors).toEqual([]);
});

test("others see nothing of it", async () => {
  await signUp();
  const { page, context, errors } = await browser.visit();
  await letIn(context, await signUp());
  await page.goto("/settings?tab=organization");
  await page.getByRole("tab", { name: "Organization" }).waitFor();
  expect(await page.getByRole("tab", { name: "Instance" }).count()).toBe(0);
  expect(errors).toEqual([]);
});

const validated = z.object({ problems: z.array(z.object({ message: z.string() })) });

test("a blueprint becomes a draft in which nothing is wrong", async () => {
  const person = await signUp();
  const connection = { type: "sqlite", config: { path: "/tmp/flowetl-blueprints.db" } };
  for (const name of ["shop", "warehouse"])
    await person.call("POST", "/connections", { name, ...connection });
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto("/pipelines?new=true");
  const dialog = page.getByRole("dialog", { name: "New pipeline" });
  await dialog.getByRole("button", { name: /^Blueprint/ }).click();
  for (const label of ["A table as Parquet", "Table to table, what is new", "Files to a table, checked"]) {
    await dialog.getByRole("button", { name: label }).click();
    const text = await dialog.getByLabel("File").inputValue();
    const found = validated.parse(await person.call("POST", "/pipelines/validate", { name: "x", text }));
    expect(found.problems, label).toEqual([]);
  }
  await inspect(page, "pipelines-blueprint", ["usual", "small"]);
  await dialog.getByLabel("Name").fill("checked");
  await dialog.getByRole("button", { name: "Create draft" }).click();
  await page.locator('.react-flow__node[data-id="publish"]').waitFor();
  await inspect(page, "pipelines-blueprint-drawn");
  expect(errors).toEqual([]);
});
