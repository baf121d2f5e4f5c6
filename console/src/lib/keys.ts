// Keyboard shortcuts: single keys, chords such as `g c`, and `mod+k`; one listener for all.
import { useEffect, useRef } from "react";

export interface Shortcut {
  /** `n`, `?`, `g c`, `mod+k`, `mod+Enter`. */
  keys: string;
  /** What it does, as the help says it. */
  label: string;
  run: (event: KeyboardEvent) => void;
}

const CHORD_MS = 1000;
const stack: { current: readonly Shortcut[] }[] = [];
let before: { key: string; at: number } | null = null;

/** Shortcuts that count now: of the same keys, those of the innermost component. */
export function activeShortcuts(): Shortcut[] {
  const found = new Map<string, Shortcut>();
  for (const { current } of stack) for (const shortcut of current) found.set(shortcut.keys, shortcut);
  return [...found.values()];
}

/** Listens for these while the component is shown. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const held = useRef(shortcuts);
  useEffect(() => {
    held.current = shortcuts;
  });
  useEffect(() => {
    if (stack.length === 0) document.addEventListener("keydown", onKey);
    stack.push(held);
    return () => {
      stack.splice(stack.indexOf(held), 1);
      if (stack.length === 0) document.removeEventListener("keydown", onKey);
    };
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const mod = event.ctrlKey || event.metaKey;
  // Letters that are typed are text; a dialog has its own keys.
  if (!mod && (isTyping(event.target) || isBehindDialog(event.target))) return;
  if (event.altKey) return;
  const key = mod ? `mod+${event.key.length === 1 ? event.key.toLowerCase() : event.key}` : event.key;
  const chord = before !== null && event.timeStamp - before.at < CHORD_MS ? `${before.key} ${key}` : null;
  const active = activeShortcuts();
  const find = (keys: string | null) => active.find((shortcut) => shortcut.keys === keys);
  const found = find(chord) ?? find(key);
  before = found || mod ? null : { key, at: event.timeStamp };
  if (!found) return;
  event.preventDefault();
  found.run(event);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  return (
    target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}

function isBehindDialog(target: EventTarget | null): boolean {
  if (document.querySelector('[role="dialog"],[role="alertdialog"],[role="menu"],[role="listbox"]') === null)
    return false;
  return !(target instanceof Element && target.closest("[data-shortcuts]"));
}

const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→" };

/** The keys one by one, as they are printed on a keyboard. */
export function keyNames(keys: string): string[] {
  const isMac = navigator.userAgent.includes("Mac OS");
  return keys.split(/[ +]/).map((key) => (key === "mod" ? (isMac ? "⌘" : "Ctrl") : (NAMES[key] ?? key)));
}
