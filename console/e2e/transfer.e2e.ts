// Connections tested all at once, taken out as a file and brought into another organization.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { inspect, openBrowser } from "./browser";
import { letIn, signUp } from "./people";

const browser = openBrowser();

test("all are tested, exported and imported", async () => {
  const { page, context, errors } = await browser.visit();
  const person = await signUp();
  await letIn(context, person);
  const folders = [import.meta.dirname, `${import.meta.dirname}/nowhere`];
  for (const [at, path] of folders.entries())
    await person.call("POST", "/connections", { name: `folder ${at + 1}`, type: "file", config: { path } });
  const secret = { bucket: "raw", endpoint: "http://127.0.0.1:1", access_key: "key", secret_key: "a secret" };
  await person.call("POST", "/connections", { name: "bucket", type: "s3", folder: "lake", config: secret });
  await page.goto("/connections");
  await page.getByText("3 connections").waitFor();
  await page.getByRole("button", { name: "Test all" }).click();
  await page.getByText("3 connections tested").waitFor();
  await page.getByText("Connected", { exact: true }).first().waitFor();
  await page.getByText("Failed", { exact: true }).first().waitFor();
  await inspect(page, "connections-tested");
  await page.getByRole("combobox", { name: "Status" }).click();
  await page.getByRole("option", { name: "Failed" }).click();
  expect(new URL(page.url()).searchParams.get("status")).toBe("failed");
  await page.goto("/connections");

  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Export" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Passphrase for the secrets").fill("between us two");
  await inspect(page, "connections-export");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    dialog.getByRole("button", { name: "Export" }).click(),
  ]);
  const file = await download.path();
  expect(await readFile(file, "utf8")).not.toContain("a secret");

  const other = await browser.visit();
  await letIn(other.context, await signUp());
  await other.page.goto("/connections");
  await other.page.getByRole("button", { name: "Import connections from a file" }).click();
  const there = other.page.getByRole("dialog");
  await there.getByLabel("File").setInputFiles(file);
  await there.getByLabel("Passphrase", { exact: true }).fill("between us two");
  await inspect(other.page, "connections-import");
  await there.getByRole("button", { name: "Import 3" }).click();
  await there.getByText("3 created").waitFor();
  await inspect(other.page, "connections-imported");
  await there.getByRole("button", { name: "Done" }).click();
  await other.page.getByText("3 connections").waitFor();
  expect(errors).toEqual([]);
  expect(other.errors).toEqual([]);
});
