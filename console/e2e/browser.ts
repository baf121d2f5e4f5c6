// A browser for a test file: pages whose errors are collected, looked at by axe, and photographed.
import { AxeBuilder } from "@axe-core/playwright";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
  type Request,
} from "playwright-core";
import { afterAll, beforeAll, expect, inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Every page in every size. */
    photographsAll: boolean;
  }
}

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** No test waits longer for one thing. */
export const LONGEST_MS = 15_000;
const SETTLED = { timeout: LONGEST_MS, interval: 20 };

export type Theme = "light" | "dark";
export const SIZES = {
  small: { width: 768, height: 1024 },
  usual: { width: 1280, height: 800 },
  large: { width: 1920, height: 1080 },
};

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** Errors of the page and failed requests so far; the test takes those it expects out. */
  errors: string[];
}

/** One browser for all tests of a file. */
export function openBrowser() {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());
  return {
    /** A person of their own: nothing is kept of others. */
    async visit(theme: Theme = "light", size: keyof typeof SIZES = "usual"): Promise<Visit> {
      const context = await browser.newContext({
        baseURL: inject("baseUrl"),
        colorScheme: theme,
        viewport: SIZES[size],
        reducedMotion: "reduce",
        locale: "en-GB",
        timezoneId: "Europe/Warsaw",
      });
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      return { context, ...(await tab(context)) };
    },
  };
}

/** Answers that a page waits for; streams, which have no end, are not among them. */
const awaited = new WeakMap<Page, Set<Request>>();

/** Another tab of the same person. */
export async function tab(context: BrowserContext): Promise<{ page: Page; errors: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(LONGEST_MS);
  const errors: string[] = [];
  const asked = new Set<Request>();
  awaited.set(page, asked);
  page.on("request", (request) => {
    // What the document before asked for is of no concern any more.
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) asked.clear();
    if (request.headers()["accept"] !== "text/event-stream") asked.add(request);
  });
  page.on("requestfinished", (request) => asked.delete(request));
  page.on("requestfailed", (request) => asked.delete(request));
  page.on("pageerror", (error) => errors.push(`page: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(`console: ${message.text()}`);
  });
  page.on("response", (response) => {
    // The body of such an answer may be read by nobody, and then it never ends.
    if (response.request().method() !== "GET") asked.delete(response.request());
    if (response.status() >= 400) errors.push(`${response.status()} ${new URL(response.url()).pathname}`);
  });
  return { page, errors };
}

/** What a page evaluates has no limit of its own: so that a test which stands still says where. */
async function within<Answer>(what: string, work: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Error(`${what}: not within ${LONGEST_MS} ms`)), LONGEST_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Nothing serious or critical is wrong for people who see or move otherwise. */
export async function expectAccessible(page: Page): Promise<void> {
  // Asked in the page itself, which has no frames: another page, opened for it each time, would hide this one meanwhile.
  const { violations } = await within("axe", new AxeBuilder({ page }).setLegacyMode().analyze());
  const found = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`)).toEqual([]);
}

/** What is there is drawn, in its own letters, and nothing moves any more. */
export async function drawn(page: Page): Promise<void> {
  const stands = page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    // What is measured first is put where it belongs in the frame after.
    await frame();
    await frame();
    await document.fonts.ready;
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map(({ finished }) => finished));
    await frame();
  });
  await within("frames, letters and movements of the page", stands);
}

/** What was asked for has come, too. */
export async function settled(page: Page): Promise<void> {
  await expect
    .poll(() => [...(awaited.get(page) ?? [])].map((request) => request.url()), SETTLED)
    .toEqual([]);
  await drawn(page);
}

/** Says yes to a dialog and waits until it is gone: while it stands, what lies behind it has no role. */
export async function confirm(dialog: Locator, button: string): Promise<void> {
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** The names of blocks that a graph's canvas shows only in part, or not at all. */
export async function beyondCanvas(page: Page): Promise<(string | null)[]> {
  await settled(page);
  return page.locator(".react-flow").evaluate((canvas) => {
    const room = canvas.getBoundingClientRect();
    return [...canvas.querySelectorAll(".react-flow__node")]
      .filter((block) => {
        const { left, top, right, bottom } = block.getBoundingClientRect();
        return left < room.left || top < room.top || right > room.right || bottom > room.bottom;
      })
      .map((block) => block.getAttribute("data-id"));
  });
}

/** Kept in console/shots, to be looked at; `ready` is `drawn` where answers are held back. */
export async function screenshot(
  page: Page,
  name: string,
  theme: Theme,
  size: keyof typeof SIZES = "usual",
  ready = settled,
): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  await page.setViewportSize(SIZES[size]);
  await page.mouse.move(0, 0);
  await ready(page);
  await page.screenshot({ path: `${import.meta.dirname}/../shots/${name}-${theme}-${size}.png` });
}

const BOTH = ["light", "dark"] as const;
// The usual one last: so axe sees it.
const ALL = ["small", "large", "usual"] as const;

/** Looks at a page in both themes: photographed, and asked by axe. Leaves it as large as it was. */
export async function inspect(
  page: Page,
  name: string,
  sizes: (keyof typeof SIZES)[] = ["usual"],
): Promise<void> {
  const usual = page.viewportSize() ?? SIZES.usual;
  for (const theme of BOTH) {
    for (const size of inject("photographsAll") ? ALL : sizes) await screenshot(page, name, theme, size);
    await expectAccessible(page);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(usual);
}
