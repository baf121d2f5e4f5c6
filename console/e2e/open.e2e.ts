// A service that asks nobody to sign in: whoever is on its machine is in, and is told so.
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspect, openBrowser } from "./browser";
import { type Service, startService } from "./service";

const browser = openBrowser();
let service: Service;
beforeAll(async () => {
  service = await startService("--auth", "off");
});
afterAll(() => service.stop());

test("AU-13: where nobody signs in the pages are open at once, and say so", async () => {
  const { page, errors } = await browser.visit();
  await page.goto(`${service.url}/`);
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  const notice = page.getByRole("button", { name: "Open to this machine" });
  await notice.waitFor();
  await page.getByRole("button", { name: "Organization: Default" }).waitFor();
  await inspect(page, "open-dashboard", ["usual", "small"]);
  await notice.focus();
  await page.getByRole("tooltip").filter({ hasText: "--auth off" }).waitFor();
  await page.getByRole("button", { name: /account and theme/ }).click();
  await page.getByRole("menuitem", { name: "Keyboard shortcuts" }).waitFor();
  expect(await page.getByRole("menuitem", { name: "Sign out" }).count()).toBe(0);
  await page.keyboard.press("Escape");

  // What happens is told, also to who has no token.
  await page.goto(`${service.url}/pipelines`);
  await page.getByText("A pipeline reads from your systems").waitFor();
  const made = await fetch(`${service.url}/api/v1/pipelines`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "told", text: "blocks: {}\n", status: "draft" }),
  });
  expect(made.status).toBe(201);
  await page.getByRole("row").filter({ hasText: "told" }).waitFor();
  await page.getByText("Live updates paused").waitFor({ state: "detached" });

  // The sign-in leads on; every tab of the settings says what it can.
  await page.goto(`${service.url}/login?next=/settings`);
  await page.getByText("Nobody signs in here.").waitFor();
  await inspect(page, "open-settings");
  for (const name of ["Members", "API keys", "Alerts", "Vault", "Audit log", "Organization"]) {
    await page.getByRole("tab", { name }).click();
    await page.getByRole("tabpanel", { name }).waitFor();
  }
  expect(errors).toEqual([]);
});
