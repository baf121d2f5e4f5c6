// How long a page is not drawn at most while something is done: told once for each thing, as the median of its rounds.
import type { Locator, Page } from "playwright-core";
import { settled } from "./browser";

/** How often a thing is measured, since other programs may run meanwhile. */
export const ROUNDS = 5;

interface Figure {
  longest: number;
  took: number;
}

const figures = new Map<string, Figure[]>();

/** Does something, and keeps how long the longest frame was meanwhile, and how long it took. */
export async function measure(page: Page, what: string, act: () => Promise<unknown>): Promise<void> {
  await settled(page);
  const watch = await page.evaluateHandle(() => {
    let [last, longest, isOn] = [performance.now(), 0, true];
    const step = (now: number) => {
      longest = Math.max(longest, now - last);
      last = now;
      if (isOn) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
    return {
      stop: () => {
        isOn = false;
        return longest;
      },
    };
  });
  const begun = performance.now();
  await act();
  const took = performance.now() - begun;
  const longest = await watch.evaluate((watch) => watch.stop());
  figures.set(what, [...(figures.get(what) ?? []), { longest, took }]);
}

/** Prints what was measured since the last time. */
export function tell(): void {
  for (const [what, rounds] of figures) {
    const longest = rounds.map((round) => Math.round(round.longest)).sort((one, other) => one - other);
    const took = rounds.map((round) => Math.round(round.took)).sort((one, other) => one - other);
    const all = longest.length > 1 ? ` (median of ${longest.join(", ")})` : "";
    console.info(`${what}: longest frame ${middle(longest)} ms${all}, in ${middle(took)} ms`);
  }
  figures.clear();
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** From where it is to its end, a good piece in each frame; the window where no box is given. */
export async function scroll(page: Page, box?: Locator): Promise<void> {
  const element = box ?? page.locator("html");
  await element.evaluate(async (element) => {
    for (let steps = 0; steps < 240; steps += 1) {
      element.scrollTop += 400;
      await new Promise(requestAnimationFrame);
    }
  });
}

/** A canvas by the wheel and by hand. */
export async function wander(page: Page): Promise<void> {
  await page.mouse.move(700, 420);
  for (let times = 0; times < 15; times += 1) await page.mouse.wheel(0, times < 8 ? -120 : 120);
  await page.mouse.down();
  for (let times = 0; times < 60; times += 1) await page.mouse.move(700 - times * 5, 420 + (times % 20) * 4);
  await page.mouse.up();
}
