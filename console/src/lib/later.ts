// What takes long to draw comes in a frame of its own, after the page that it belongs to.
import { startTransition, useEffect, useState } from "react";

/** False at first, true from the frame after the one in which `isReady` was drawn. */
export function useLater(isReady = true): boolean {
  const [isLater, setLater] = useState(false);
  useEffect(() => {
    if (!isReady) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // What is asked for in a frame is drawn with it: behind it comes the next task.
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => startTransition(() => setLater(true)));
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [isReady]);
  return isLater;
}
