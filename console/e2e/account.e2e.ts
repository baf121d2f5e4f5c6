// Signing up, in and out; a session that outlives a reload and is shared by tabs.
import { expect, test } from "vitest";
import { inspect, tab, openBrowser } from "./browser";
import { letIn, PASSWORD, signUp } from "./people";

const browser = openBrowser();

test("AU-9: somebody signs up, reloads, and signs out", async () => {
  const { page, context, errors } = await browser.visit();
  await page.goto("/");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await inspect(page, "login", ["usual", "small"]);
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Ann Example");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("An e-mail address, such as").waitFor();
  await inspect(page, "signup");
  await page.getByLabel("E-mail").fill(`ann.${process.pid}@example.com`);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Organization").fill("Example Works");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await inspect(page, "dashboard-empty", ["usual", "small", "large"]);

  await page.reload();
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  const other = await tab(context);
  await other.page.goto("/unlock");
  await other.page.getByRole("heading", { name: "Vault", exact: true }).waitFor();
  await inspect(other.page, "vault-empty");
  // Both reload at once: the token that is shown once is shown once.
  await Promise.all([page.reload(), other.page.reload()]);
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await other.page.getByRole("heading", { name: "Vault", exact: true }).waitFor();

  await page.getByRole("button", { name: "account and theme" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(errors).toEqual([]);
  expect(other.errors).toEqual([]);
});

test("a wrong password is refused, the right one leads to where one wanted to go", async () => {
  const person = await signUp();
  const { page, errors } = await browser.visit();
  await page.goto("/connections?q=shop");
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("You could not be signed in.").waitFor();
  expect(errors.splice(0)).toContain("401 /api/v1/auth/login");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Connections" }).waitFor();
  expect(new URL(page.url()).search).toBe("?q=shop");
  expect(errors).toEqual([]);
});

test("the keyboard leads everywhere", async () => {
  const { page, context, errors } = await browser.visit();
  await letIn(context, await signUp());
  await page.goto("/");
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await page.getByRole("heading", { name: "Connections" }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await inspect(page, "help");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search or jump to" }).fill("dash");
  await inspect(page, "palette");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await page.goto("/nothing/here");
  await page.getByText("There is nothing at this address.").waitFor();
  expect(errors).toEqual([]);
});
