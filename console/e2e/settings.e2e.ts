// Settings: people, keys, alerts, the vault, what was changed, and the end of an organization.
import { expect, test } from "vitest";
import { confirm, inspect, openBrowser } from "./browser";
import { letIn, PASSWORD, signUp } from "./people";

const browser = openBrowser();

test("somebody is invited, joins, and gets another role", async () => {
  const { page, context, errors } = await browser.visit();
  const person = await signUp({ organization: "Example Works" });
  await letIn(context, person);
  await page.goto("/settings");
  await page.getByText(person.email).first().waitFor();
  await inspect(page, "settings-profile");
  await page.getByRole("tab", { name: "Members" }).click();
  await page.getByRole("button", { name: "Invite" }).click();
  const dialog = page.getByRole("dialog");
  await inspect(page, "settings-invite");
  const email = `bob.${process.pid}@example.com`;
  await dialog.getByLabel("E-mail").fill(email);
  await page.keyboard.press("Enter");
  const link = await dialog.getByText("/signup?invitation=").innerText();
  await inspect(page, "settings-invited");
  await confirm(dialog, "Done");
  await page.getByRole("table", { name: "Invitations" }).getByText(email).waitFor();
  await inspect(page, "settings-members", ["usual", "small"]);

  const other = await browser.visit();
  await other.page.goto(link);
  await other.page.getByLabel("Name", { exact: true }).fill("Bob Example");
  await other.page.getByLabel("E-mail").fill(email);
  await other.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await other.page.getByRole("button", { name: "Join" }).click();
  await other.page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await other.page.goto("/settings?tab=audit");
  await other.page.getByText("This needs the role admin; yours is editor.").waitFor();

  // It is seen without asking again.
  const role = page.getByRole("combobox", { name: "Role of Bob Example" });
  await role.click();
  await page.getByRole("option", { name: "Viewer" }).click();
  await other.page.goto("/connections");
  const button = other.page.getByRole("button", { name: "New connection" }).first();
  await button.waitFor();
  expect(await button.getAttribute("aria-disabled")).toBe("true");
  await page.getByRole("button", { name: "Remove Bob Example" }).click();
  await confirm(dialog, "Remove");
  await role.waitFor({ state: "detached" });
  expect(errors).toEqual([]);
});

test("keys and destinations are made and taken away", async () => {
  const { page, context, errors } = await browser.visit();
  await letIn(context, await signUp());
  await page.goto("/settings?tab=keys");
  await page.getByText("there are none yet").waitFor();
  await inspect(page, "settings-keys-empty");
  await page.getByRole("button", { name: "New API key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("nightly job");
  await inspect(page, "settings-key-new");
  await dialog.getByRole("button", { name: "Make key" }).click();
  await dialog.getByText("it is not shown again").waitFor();
  await inspect(page, "settings-key-made");
  await confirm(dialog, "Done");
  await page.getByRole("cell", { name: "nightly job", exact: true }).waitFor();
  await inspect(page, "settings-keys");
  await page.getByRole("button", { name: "Revoke nightly job" }).click();
  await confirm(dialog, "Revoke");
  await page.getByText("there are none yet").waitFor();

  await page.getByRole("tab", { name: "Alerts" }).click();
  await page.getByText("Nobody is told").waitFor();
  await inspect(page, "settings-alerts-empty");
  await page.getByRole("button", { name: "New destination" }).click();
  await dialog.getByLabel("Name").fill("ops");
  await dialog.getByLabel("URL").fill("https://hooks.example.com/one");
  await inspect(page, "settings-destination");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("whsec_").waitFor();
  await confirm(dialog, "Done");
  await page.getByRole("cell", { name: "hooks.example.com" }).waitFor();
  await inspect(page, "settings-alerts");
  await page.getByRole("button", { name: "Delete ops" }).click();
  await confirm(dialog, "Delete");
  await page.getByText("Nobody is told").waitFor();
  expect(errors).toEqual([]);
});

test("the vault is locked and opened again; all of it is in the audit log", async () => {
  const { page, context, errors } = await browser.visit();
  const person = await signUp();
  await letIn(context, person);
  const config = { host: "db.example.com", username: "etl", password: "a secret", database: "shop" };
  await person.call("POST", "/connections", { name: "shop", type: "postgres", config });
  await page.goto("/settings?tab=vault");
  await page.getByLabel("New master password").fill(PASSWORD);
  await page.getByLabel("Once more").fill(PASSWORD);
  await inspect(page, "settings-vault");
  await page.getByRole("button", { name: "Set password" }).click();
  await page.getByRole("button", { name: "Change password" }).waitFor();
  await page.getByRole("button", { name: "Lock now" }).click();
  await page.getByRole("link", { name: "The vault is locked" }).click();
  await page.getByRole("heading", { name: "The vault is locked" }).waitFor();
  await inspect(page, "vault-locked", ["usual", "small"]);
  await page.getByLabel("Master password").fill("not the password");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("The vault stays locked.").waitFor();
  expect(errors.splice(0)).toContain("422 /api/v1/vault/unlock");
  await page.getByLabel("Master password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  await page.getByRole("link", { name: "The vault is open" }).waitFor();

  await page.goto("/settings?tab=audit&q=vault");
  await page.getByText("vault.unlocked").waitFor();
  await inspect(page, "settings-audit");
  await page.getByLabel("Filter what is loaded").fill("connection.created");
  await page.getByText("vault.unlocked").waitFor({ state: "detached" });
  await page.getByRole("cell", { name: "connection.created" }).click();
  await page.getByRole("dialog").getByText("db.example.com").waitFor();
  await inspect(page, "settings-audit-entry");
  expect(errors).toEqual([]);
});

test("an organization is renamed, and deleted once its slug is typed", async () => {
  const { page, context, errors } = await browser.visit();
  await letIn(context, await signUp({ organization: "First Works" }));
  await page.goto("/settings?tab=organization");
  await page.getByLabel("Name").first().fill("First Works Ltd");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Organization: First Works Ltd" }).waitFor();
  await inspect(page, "settings-organization", ["usual", "large"]);
  await page.getByLabel("Name").last().fill("Second Works");
  await page.getByRole("button", { name: "Make organization" }).click();
  await page.getByRole("button", { name: "Organization: Second Works" }).waitFor();
  await page.goto("/settings?tab=organization");
  await page.getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  const remove = dialog.getByRole("button", { name: "Delete for ever" });
  expect(await remove.isDisabled()).toBe(true);
  await dialog.getByLabel("Type second-works").fill("second-works");
  await inspect(page, "settings-delete");
  await remove.click();
  await page.getByRole("button", { name: "Organization: First Works Ltd" }).waitFor();
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
  expect(errors).toEqual([]);
});
