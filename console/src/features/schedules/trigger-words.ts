// What a trigger is called.
import type { Trigger } from "@/api/triggers";

export function nameOf({ kind, target_name }: Trigger): string {
  return kind === "webhook" ? `the webhook of ${target_name}` : `the trigger of ${target_name}`;
}
