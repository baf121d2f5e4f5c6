// How a pipeline may be called.

/** What is wrong with a name; null where it may be. */
export function nameProblem(name: string): string | null {
  if (name === "") return "A name is missing.";
  return /^[A-Za-z0-9_.-]+$/.test(name) ? null : "A name has letters, digits, “_”, “-” and “.”.";
}
