// What becomes of times that passed while nothing could run, in words.
import type { Schedule } from "@/api/schedules";

export const MISSED: Record<Schedule["missed"], string> = {
  skip: "Skip them",
  run_now: "Run once",
  queue: "Run each of them",
};

export const MISSED_HELP: Record<Schedule["missed"], string> = {
  skip: "Times that passed, or came during a run, are left out.",
  run_now: "However many passed, it runs once as soon as it can.",
  queue: "Each time that passed has its run, one after the other.",
};
