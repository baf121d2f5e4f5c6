// Light, dark, or as the system has it.
import { createStore, useStore } from "./store";
import { keep, kept } from "./storage";

export type Theme = "light" | "dark" | "system";

// Also read by public/theme.js, before anything is drawn.
const KEY = "flowetl.theme";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme {
  const value = kept(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

const theme = createStore<Theme>(stored());
const drawn = createStore(isDark());

function isDark(): boolean {
  return theme.get() === "dark" || (theme.get() === "system" && prefersDark.matches);
}

function draw(): void {
  document.documentElement.classList.toggle("dark", isDark());
  drawn.set(isDark());
}

prefersDark.addEventListener("change", draw);

export function setTheme(next: Theme): void {
  keep(KEY, next === "system" ? null : next);
  theme.set(next);
  draw();
}

export function useTheme(): Theme {
  return useStore(theme);
}

/** Whether it is dark now, for what is drawn on a canvas. */
export function useIsDark(): boolean {
  return useStore(drawn);
}
