// Schedules made, switched, changed and deleted; executors looked at.
import { expect, test } from "vitest";
import { confirm, inspect, openBrowser } from "./browser";
import { letIn, signUp } from "./people";

const browser = openBrowser();
const TEXT = "name: nightly\nblocks:\n  one: {extract: /tmp/one.csv}\n  two: {load: one, to: /tmp/two.csv}\n";

test("a schedule is built, switched off, changed and deleted", async () => {
  const person = await signUp();
  await person.call("POST", "/pipelines", { text: TEXT });
  const { page, context, errors } = await browser.visit();
  await letIn(context, person);
  await page.goto("/schedules");
  await page.getByText("Nothing runs by itself yet").waitFor();
  await inspect(page, "schedules-empty");

  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "New schedule" });
  await dialog.getByRole("button", { name: "Create schedule" }).click();
  await dialog.getByText("Choose what it runs.").waitFor();
  await dialog.getByRole("combobox", { name: /^What runs:/ }).click();
  await page.getByRole("option", { name: "nightly" }).click();
  await dialog.getByLabel("Cron line").fill("nonsense");
  await dialog.getByText(/a cron line has five/).waitFor();
  expect(errors.splice(0).filter((error) => !error.startsWith("console:"))).toEqual([
    "422 /api/v1/schedules/preview",
  ]);
  await dialog.getByLabel("Cron line").fill("@daily");
  await dialog.getByText("Every day at 12:00 AM Europe/Warsaw").waitFor();
  await dialog.getByLabel("At", { exact: true }).fill("03:30");
  await expect.poll(() => dialog.getByLabel("Cron line").inputValue()).toBe("30 3 * * *");
  await dialog.getByText("Every day at 3:30 AM Europe/Warsaw").waitFor();
  await inspect(page, "schedule-dialog", ["usual", "small"]);
  await confirm(dialog, "Create schedule");

  const toggle = page.getByRole("switch", { name: /^Schedule of nightly/ });
  await toggle.waitFor();
  await inspect(page, "schedules", ["usual", "small", "large"]);
  await toggle.click();
  await page.getByRole("row").filter({ hasText: "nightly" }).getByText("off", { exact: true }).waitFor();
  expect(await toggle.isChecked()).toBe(false);

  await page.getByRole("link", { name: "Edit the schedule of nightly" }).click();
  const change = page.getByRole("dialog", { name: "Schedule of nightly" });
  await change.getByRole("combobox", { name: "How often" }).click();
  await page.getByRole("option", { name: "On days of the week" }).click();
  await change.getByRole("button", { name: "Fri" }).click();
  await change.getByText(/Monday and Friday at 3:30 AM/).waitFor();
  await confirm(change, "Save");
  await page.getByRole("row").filter({ hasText: "30 3 * * 1,5" }).waitFor();

  await page.getByRole("button", { name: "Delete the schedule of nightly" }).click();
  await confirm(page.getByRole("dialog"), "Delete schedule");
  await page.getByText("Nothing runs by itself yet").waitFor();
  expect(errors).toEqual([]);
});

test("executors tell what they have room for", async () => {
  const { page, context, errors } = await browser.visit();
  await letIn(context, await signUp());
  await page.goto("/executors");
  await page.getByText("1 executor alive").waitFor();
  await inspect(page, "executors");
  await page.getByRole("link", { name: "In the coordinator" }).click();
  await page.getByText("None of this organization.").waitFor();
  await inspect(page, "executor");
  expect(errors).toEqual([]);
});
