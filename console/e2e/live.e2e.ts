// Pages stay current whichever way is open: a WebSocket, a stream of events, or asking again and again.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inspect, openBrowser } from "./browser";
import { letIn, type Person, signUp } from "./people";

const browser = openBrowser();
const STREAMS = "**/api/v1/organizations/*/events*";
const SOCKETS = /\/api\/v1\/organizations\/[^/]+\/ws/;

async function visited(person: Person) {
  const visit = await browser.visit();
  await letIn(visit.context, person);
  return visit;
}

/** It is made elsewhere, and seen here without a touch of the page. */
async function expectTold(page: Page, person: Person, name: string): Promise<void> {
  await person.call("POST", "/pipelines", { name, text: "blocks: {}\n", status: "draft" });
  await page.getByRole("row").filter({ hasText: name }).waitFor();
}

const notice = (page: Page) => page.getByText("Live updates paused");

test("MO-6: without WebSockets it is told by server-sent events", async () => {
  const person = await signUp();
  const { page, errors } = await visited(person);
  let refused = 0;
  await page.routeWebSocket(SOCKETS, (socket) => {
    refused += 1;
    void socket.close();
  });
  const stream = page.waitForResponse(STREAMS);
  await page.goto("/pipelines");
  expect((await stream).headers()["content-type"]).toBe("text/event-stream");
  expect(refused).toBeGreaterThan(0);
  await expectTold(page, person, "streamed");
  expect(await notice(page).count()).toBe(0);
  expect(errors).toEqual([]);
});

test("without both it asks every few seconds, says so, and takes the better way once it is open", async () => {
  const person = await signUp();
  const { page, errors } = await visited(person);
  let isOpen = false;
  await page.routeWebSocket(SOCKETS, (socket) => {
    if (isOpen) socket.connectToServer();
    else void socket.close();
  });
  await page.route(STREAMS, (route) => route.fulfill({ status: 502 }));
  await page.goto("/pipelines");
  await notice(page).getByText("asking every 5 s").waitFor({ timeout: 30_000 });
  await inspect(page, "live-polling");
  await expectTold(page, person, "asked_for");
  isOpen = true;
  // As a machine says that has found another network.
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await notice(page).waitFor({ state: "detached" });
  await expectTold(page, person, "told_again");
  expect(errors.filter((error) => !/502/.test(error))).toEqual([]);
});

test("where nothing is reached pages stay, and go on by themselves once it is", async () => {
  const person = await signUp();
  const { page, context, errors } = await visited(person);
  await page.goto("/pipelines");
  await expectTold(page, person, "before");
  await context.setOffline(true);
  await notice(page).getByText("trying to reconnect").waitFor({ timeout: 30_000 });
  await page.getByRole("row").filter({ hasText: "before" }).waitFor();
  await person.call("POST", "/pipelines", { name: "meanwhile", text: "blocks: {}\n", status: "draft" });
  // A page that was never seen cannot be shown, and says why.
  await page.getByRole("link", { name: "Connections" }).click();
  await page.getByText("This page could not be shown.").waitFor();
  await page.getByText("Check whether the service is running").waitFor();
  await inspect(page, "offline");
  await context.setOffline(false);
  await page.getByRole("heading", { name: "Connections" }).waitFor({ timeout: 30_000 });
  await notice(page).waitFor({ state: "detached", timeout: 30_000 });
  await page.getByRole("link", { name: "Pipelines" }).click();
  await page.getByRole("row").filter({ hasText: "meanwhile" }).waitFor();
  await expectTold(page, person, "afterwards");
  const unreached = /ERR_INTERNET_DISCONNECTED|WebSocket|Failed to (load|fetch)/;
  expect(errors.filter((error) => !unreached.test(error))).toEqual([]);
});
