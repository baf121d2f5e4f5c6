// What is drawn anew only where that differs from which it is drawn: for the many lines of lists that scroll.
import { memo, type ReactNode } from "react";

interface KeptProps {
  /** All that `draw` uses, one by one, always as many. */
  from: readonly unknown[];
  draw: () => ReactNode;
}

export const Kept = memo(
  ({ draw }: KeptProps) => draw(),
  ({ from: before }, { from: now }) => now.every((part, at) => Object.is(part, before[at])),
);
