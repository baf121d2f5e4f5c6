// What takes long to draw comes in a frame of its own, after the page that it belongs to, or over several.
import { startTransition, useEffect, useState } from "react";

/** False at first, true from the frame after the one in which `isReady` was drawn. */
export function useLater(isReady = true): boolean {
  const [isLater, setLater] = useState(false);
  useEffect(() => (isReady ? inNextFrame(() => setLater(true)) : undefined), [isReady]);
  return isLater;
}

/** How many of `count` things are drawn: `step` at first, so many more in each frame after, all from then on. */
export function useMoreAndMore(count: number, step: number): number {
  const [drawn, setDrawn] = useState(step);
  const isComing = count > 0 && drawn !== Infinity;
  useEffect(
    () =>
      isComing ? inNextFrame(() => setDrawn(drawn + step < count ? drawn + step : Infinity)) : undefined,
    [isComing, drawn, step, count],
  );
  return Math.min(drawn, count);
}

/** Gives what takes it back. */
function inNextFrame(act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  // What is asked for in a frame is drawn with it: behind it comes the next task.
  const frame = requestAnimationFrame(() => {
    timer = setTimeout(() => startTransition(act));
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
