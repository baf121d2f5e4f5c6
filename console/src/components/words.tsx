// What the service says, as a sentence: names in backticks are drawn as code, empty ones as what they are.
import { Fragment } from "react";

export function Words({ text }: { text: string }) {
  const parts = sentence(text).split("`");
  // A backtick without its other end is only a backtick.
  if (parts.length % 2 === 0) return sentence(text);
  return parts.map((part, index) =>
    index % 2 === 1 ? (
      <code key={index} className="rounded bg-foreground/8 px-1 font-mono text-[0.92em]">
        {part || '""'}
      </code>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    ),
  );
}

/** With a capital at its beginning and a stop at its end. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
