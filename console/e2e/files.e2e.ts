// Files brought, listed, previewed, linked to and deleted; uploads that go on after a break; backups.
import { expect, inject, test } from "vitest";
import { confirm, inspect, openBrowser } from "./browser";
import { letIn, signUp } from "./people";

const browser = openBrowser();

test("FI-1: files are uploaded in pieces, previewed, linked to and deleted", async () => {
  const { page, context, errors } = await browser.visit();
  const person = await signUp();
  await letIn(context, person);
  await page.goto("/files");
  await page.getByText("Drop files here").waitFor();
  await inspect(page, "files-empty", ["usual", "small"]);

  await page.getByRole("button", { name: "New folder" }).click();
  await page.getByLabel("Folder name").fill("raw");
  await page.getByRole("button", { name: "Open folder" }).click();
  await page.getByText("raw is empty").waitFor();
  const rows = Array.from({ length: 500 }, (_, at) => `${at},customer ${at},${at * 1.5}`);
  const csv = Buffer.from(`id,name,amount\n${rows.join("\n")}\n`);
  // The way breaks once: what comes after it goes on from there.
  let puts = 0;
  await page.route("**/files/uploads/*", async (route) => {
    if (route.request().method() === "PUT" && (puts += 1) === 2) await route.abort();
    else await route.continue();
  });
  const big = Buffer.alloc(20 * 1024 * 1024, "0123456789abcdef");
  await page.getByLabel("Files to upload").setInputFiles([
    { name: "big.bin", mimeType: "application/octet-stream", buffer: big },
    { name: "orders.csv", mimeType: "text/csv", buffer: csv },
  ]);
  await page
    .getByRole("list", { name: "Uploads" })
    .getByLabel("Uploaded")
    .nth(1)
    .waitFor({ timeout: 60_000 });
  expect(puts).toBeGreaterThan(5);
  await page.getByText("20 MiB").first().waitFor();
  await page.getByRole("button", { name: "orders.csv", exact: true }).waitFor();
  expect(errors.splice(0).filter((text) => !text.includes("ERR_FAILED"))).toEqual([]);
  await inspect(page, "files-list", ["usual", "small", "large"]);

  await page.getByRole("button", { name: "Preview orders.csv" }).click();
  await page.getByText("The first 100 rows, 3 columns").waitFor();
  await inspect(page, "files-preview");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "More about orders.csv" }).click();
  await page.getByRole("menuitem", { name: "Get a link" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Create link" }).click();
  const url = await dialog.locator("code").textContent();
  expect(await (await fetch(new URL(url ?? "", inject("baseUrl")))).text()).toBe(csv.toString());
  await inspect(page, "files-link");
  await confirm(dialog, "Done");

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download orders.csv" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("orders.csv");

  await page.getByRole("button", { name: "More about orders.csv" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await dialog.getByText("This cannot be undone").waitFor();
  await inspect(page, "files-delete");
  await confirm(dialog, "Delete file");
  await page.getByRole("button", { name: "files", exact: true }).click();
  await page.getByRole("button", { name: "raw", exact: true }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("big");
  await page.getByText("big.bin").first().waitFor();
  expect(errors).toEqual([]);
});
