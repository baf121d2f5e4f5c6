// Triggers made, called, switched off and deleted; every thing as YAML, as a command and as a call.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { z } from "zod";
import { confirm, inspect, LONGEST_MS, openBrowser } from "./browser";
import { letIn, signUp } from "./people";

const browser = openBrowser();
const made = z.object({ id: z.string() });
const begun = z.object({ runs: z.array(made) });
const text = (name: string) =>
  `name: ${name}\nblocks:\n  one: {extract: /tmp/${name}.csv}\n  two: {load: one, to: /tmp/${name}.parquet}\n`;

test("a webhook shows its address once and begins runs; another trigger waits for pipelines", async () => {
  const person = await signUp();
  const { page, context, errors } = await browser.visit();
  for (const name of ["report", "shop", "lake"])
    await person.call("POST", "/pipelines/apply", { text: text(name) });
  await letIn(context, person);
  await page.goto("/schedules?tab=triggers");
  await page.getByText("A trigger runs a pipeline when an address is called").waitFor();
  await inspect(page, "triggers-empty");

  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "New trigger" });
  await dialog.getByRole("button", { name: "Create trigger" }).click();
  await dialog.getByText("Choose the pipeline that it runs.").waitFor();
  await dialog.getByRole("combobox", { name: /^Pipeline:/ }).click();
  await page.getByRole("option", { name: "report" }).click();
  await inspect(page, "trigger-dialog", ["usual", "small"]);
  await dialog.getByRole("button", { name: "Create trigger" }).click();
  const secret = page.getByRole("dialog", { name: "The webhook of report" });
  const address = (await secret.locator("code").first().textContent()) ?? "";
  expect(address).toMatch(/^http:.*\/api\/v1\/hooks\/./);
  await inspect(page, "trigger-address");
  await confirm(secret, "Done");
  const row = page.getByRole("row").filter({ hasText: "When its address is called" });
  await row.getByText("none yet").waitFor();

  const hook = () => fetch(address, { method: "POST", signal: AbortSignal.timeout(LONGEST_MS) });
  expect((await hook()).status).toBe(202);
  await row.getByText("none yet").waitFor({ state: "detached" });
  await row.getByText("When its address is called").click();
  const drawer = page.getByRole("dialog", { name: "The webhook of report" });
  await drawer.getByRole("link", { name: "Open run" }).waitFor();
  await inspect(page, "trigger-events");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "New trigger" }).click();
  await dialog.getByRole("button", { name: /^Other pipelines/ }).click();
  await dialog.getByRole("combobox", { name: /^Pipeline:/ }).click();
  await page.getByRole("option", { name: "report" }).click();
  for (const name of ["shop", "lake"]) {
    await dialog.getByRole("combobox", { name: /^Waits for/ }).click();
    await page.getByRole("option", { name }).click();
  }
  await inspect(page, "trigger-after");
  await confirm(dialog, "Create trigger");
  await page.getByRole("cell", { name: "After shop, lake" }).waitFor();
  await inspect(page, "triggers", ["usual", "small", "large"]);

  const toggle = page.getByRole("switch", { name: "the webhook of report" });
  // It turns at once, and the service knows of it a moment later.
  const isTold = page.waitForResponse(
    (answer) => answer.request().method() === "PATCH" || answer.request().method() === "PUT",
  );
  await toggle.click();
  expect((await isTold).ok()).toBe(true);
  expect(await toggle.isChecked()).toBe(false);
  expect((await hook()).ok).toBe(false);
  await page.getByRole("button", { name: "More about the webhook of report" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await confirm(page.getByRole("dialog"), "Delete trigger");
  await row.waitFor({ state: "detached" });
  expect(errors).toEqual([]);
});

const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

test("pipelines, runs and schedules are shown as YAML, and copied as a command and as a call", async () => {
  const person = await signUp();
  const applied = await person.call("POST", "/pipelines/apply", { text: text("orders") });
  const { id } = made.parse(applied);
  const cron = {
    target_type: "pipeline",
    target_id: id,
    cron_expression: "0 3 * * *",
    timezone: "Europe/Warsaw",
  };
  await person.call("POST", "/schedules", cron);
  const run = made.parse(await person.call("POST", `/pipelines/${id}/run`, {}));
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);

  // The chosen row's menu, by keys alone.
  await page.goto("/pipelines");
  await page.getByRole("link", { name: "orders" }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press(".");
  await page.getByRole("menuitem", { name: "View as YAML" }).waitFor();
  await inspect(page, "thing-menu");
  await page.getByRole("menuitem", { name: "View as YAML" }).click();
  await page.getByRole("dialog", { name: "orders as YAML" }).getByText("extract: /tmp/orders.csv").waitFor();
  await inspect(page, "thing-yaml");
  await page.keyboard.press("Escape");
  expect(new URL(page.url()).pathname).toBe("/pipelines");
  await page.getByRole("button", { name: "More about orders" }).click();
  await page.getByRole("menuitem", { name: "Copy as CLI" }).click();
  await page.getByText("The command was copied.").waitFor();
  expect(await clipboard(page)).toBe("flowetl pipeline run orders");

  await page.goto("/schedules");
  await page.getByRole("button", { name: "More about the schedule of orders" }).click();
  await page.getByRole("menuitem", { name: "Copy as CLI" }).click();
  await page.getByText("The command was copied.").waitFor();
  expect(await clipboard(page)).toBe(
    "flowetl schedule add orders '0 3 * * *' --timezone Europe/Warsaw --missed skip",
  );

  await page.goto(`/runs/${run.id}`);
  await page.getByRole("button", { name: "Re-run" }).waitFor();
  await page.keyboard.press(".");
  await page.getByRole("menuitem", { name: "Copy as API call" }).click();
  await page.getByText("The call was copied.").waitFor();
  const call = await clipboard(page);
  expect(call).toContain(`/api/v1/runs/${run.id}`);
  expect(call).toContain("$FLOWETL_API_KEY");

  await page.goto(`/pipelines/${id}`);
  await page.getByRole("heading", { name: "orders" }).waitFor();
  await page.getByRole("button", { name: "More about orders" }).click();
  await page.getByRole("menuitem", { name: "Triggers" }).click();
  await page.getByText("Of one pipeline: show all").waitFor();
  expect(errors).toEqual([]);
});

test("runs, schedules and triggers are told the parameters that the pipeline's file declares", async () => {
  const person = await signUp();
  const file =
    "name: daily\nparams:\n  day: {type: date}\n  region: {type: string, default: eu, values: [eu, us]}\n" +
    "blocks:\n  one: {extract: \"/tmp/{{ var('day') }}.csv\"}\n  two: {load: one, to: /tmp/daily.parquet}\n";
  await person.call("POST", "/pipelines/apply", { text: file });
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);

  // What is missing is asked for.
  await page.goto("/pipelines");
  await page.getByRole("button", { name: "Run daily now" }).click();
  const run = page.getByRole("dialog", { name: "Run daily" });
  await run.getByLabel("day").waitFor();
  expect(errors.splice(0).filter((error) => !error.startsWith("console:"))).toHaveLength(1);
  await run.getByRole("button", { name: "Run", exact: true }).click();
  await run.getByText("day is missing.").waitFor();
  await run.getByLabel("day").fill("2026-11-22");
  await run.getByRole("combobox", { name: /^Only up to block:/ }).click();
  await page.getByRole("option", { name: "one extract" }).click();
  await inspect(page, "run-dialog", ["usual", "small"]);
  await run.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByText("A run of daily has begun.").waitFor();
  const { runs } = begun.parse(await person.call("GET", "/runs"));
  expect(await person.call("GET", `/runs/${runs[0]?.id}`)).toMatchObject({
    params: { day: "2026-11-22" },
    tasks: [{ block_id: "one" }],
  });

  await page.goto("/schedules?new=true");
  const schedule = page.getByRole("dialog", { name: "New schedule" });
  await schedule.getByRole("combobox", { name: /^What runs:/ }).click();
  await page.getByRole("option", { name: "daily" }).click();
  await schedule.getByLabel("day").fill("2026-11-23");
  await schedule.getByRole("combobox", { name: "region" }).click();
  await page.getByRole("option", { name: "us" }).click();
  await schedule.getByRole("combobox", { name: /^Only up to block:/ }).click();
  await page.getByRole("option", { name: "two load" }).click();
  await confirm(schedule, "Create schedule");
  const told = { params: { day: "2026-11-23", region: "us" } };
  expect(await person.call("GET", "/schedules")).toMatchObject({ schedules: [{ ...told, until: "two" }] });

  await page.goto("/schedules?tab=triggers&new=true");
  const trigger = page.getByRole("dialog", { name: "New trigger" });
  await trigger.getByRole("button", { name: /^Files/ }).click();
  await trigger.getByRole("combobox", { name: /^Pipeline:/ }).click();
  await page.getByRole("option", { name: "daily" }).click();
  await trigger.getByLabel("Place").fill("files/raw/*.csv");
  await trigger.getByLabel("Looks every").fill("2");
  await trigger.getByLabel("day").fill("2026-11-24");
  await trigger.getByRole("button", { name: "Create trigger" }).click();
  await trigger.getByText("From 5 to 86400 seconds.").waitFor();
  await trigger.getByLabel("Looks every").fill("60");
  await inspect(page, "trigger-files", ["usual", "small"]);
  await confirm(trigger, "Create trigger");
  await page.getByText("When files arrive at files/raw/*.csv").waitFor();

  await page.getByRole("button", { name: "More about the trigger of daily" }).click();
  await page.getByRole("menuitem", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: "Change the trigger of daily" });
  await expect.poll(() => change.getByLabel("day").inputValue()).toBe("2026-11-24");
  await change.getByLabel("Place").fill("files/new/*.csv");
  await confirm(change, "Save");
  await page.getByText("When files arrive at files/new/*.csv").waitFor();
  const kept = { place: "files/new/*.csv", every_seconds: 60, params: { day: "2026-11-24" } };
  expect(await person.call("GET", "/triggers")).toMatchObject({ triggers: [kept] });
  expect(errors).toEqual([]);
});
