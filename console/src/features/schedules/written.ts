// How schedules and triggers are written elsewhere.
import type { Schedule } from "@/api/schedules";
import type { Trigger } from "@/api/triggers";
import type { Written } from "@/components/thing-menu";
import { command } from "@/lib/command";

/** Options that tell a run its parameters. */
function told(params: object): string[] {
  return Object.entries(params).flatMap(([name, value]: [string, unknown]) => [
    "--param",
    `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  ]);
}

async function yaml(value: unknown): Promise<string> {
  return (await import("yaml")).stringify(value, { collectionStyle: "any" });
}

export function scheduleWritten(schedule: Schedule): Written {
  const { id, target_type, target_id, target_name, with_upstream } = schedule;
  const { cron_expression, timezone, missed, until, params } = schedule;
  const isPipeline = target_type === "pipeline";
  const part = { ...(until && { until }), ...(!isPipeline && { with_upstream }) };
  const options = [
    ...(until ? ["--until", until] : []),
    ...(isPipeline ? [] : ["--transformation"]),
    ...(with_upstream ? ["--upstream"] : []),
  ];
  return {
    id,
    yaml: () => yaml({ schedule: { cron: cron_expression, timezone, missed } }),
    about: isPipeline
      ? "For the file of its pipeline, where it stands instead of here."
      : "Transformations have no files: this is to be read.",
    command: command(
      ...["flowetl", "schedule", "add", target_name, cron_expression],
      ...["--timezone", timezone, "--missed", missed, ...options, ...told(params)],
    ),
    call: {
      method: "POST",
      path: "/schedules",
      body: { target_type, target_id, cron_expression, timezone, missed, params, ...part },
    },
  };
}

export function triggerWritten(trigger: Trigger): Written {
  const { id, kind, target_id, target_name, upstream, place, every_seconds, params, until, is_active } =
    trigger;
  const others = upstream.map(({ upstream_name }) => upstream_name);
  const ids = upstream.map(({ upstream_id }) => upstream_id);
  const first = {
    webhook: ["webhook", target_name],
    upstream: ["after", target_name, ...others],
    files: ["files", target_name, ...(place ? [place] : [])],
  }[kind];
  const part = {
    kind,
    params,
    ...(until && { until }),
    ...(ids.length > 0 && { upstream: ids }),
    ...(place && { place, every_seconds }),
  };
  return {
    id,
    yaml: () =>
      yaml({
        trigger: { kind, pipeline: target_name, upstream: others, until: until ?? null, params, is_active },
      }),
    about: "Triggers stand beside pipelines, not in their files: this is to be read.",
    command: command("flowetl", "trigger", ...first, ...told(params)),
    call: { method: "POST", path: "/triggers", body: { target_type: "pipeline", target_id, ...part } },
  };
}
