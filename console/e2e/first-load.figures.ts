// How long the first page takes on a machine a quarter as fast: figures, to be taken while nothing else runs.
import { expect, test } from "vitest";
import { openBrowser } from "./browser";
import { letIn, signUp } from "./people";

const browser = openBrowser();
const ROUNDS = 5;

test("the first page", async () => {
  const figures: { painted: number; ready: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // A browser that has nothing of it yet, and somebody else each time: who signs in elsewhere with the same token is refused.
    const person = await signUp();
    const { page, context, errors } = await browser.visit();
    await letIn(context, person);
    const control = await context.newCDPSession(page);
    await control.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    const begun = Date.now();
    await page.goto("/");
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    const ready = Date.now() - begun;
    const painted = await page.evaluate(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity,
    );
    figures.push({ painted: Math.round(painted), ready });
    expect(errors).toEqual([]);
    await context.close();
  }
  const median = (of: (figure: { painted: number; ready: number }) => number) =>
    figures.map(of).sort((a, b) => a - b)[2];
  console.info(
    `first paint ${median((one) => one.painted)} ms, dashboard ${median((one) => one.ready)} ms (medians of ${ROUNDS})`,
  );
});
