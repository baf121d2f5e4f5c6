// How that which opens from a button looks, and the lines in it.

export const POPUP = "animate-in z-60 rounded-lg border border-border bg-raised p-1 shadow-xl";
export const POPUP_LINE =
  "flex min-h-8 cursor-pointer items-center rounded-md text-sm outline-none else:data-highlighted:bg-accent else:data-highlighted:text-accent-foreground";
