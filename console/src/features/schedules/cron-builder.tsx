// A cron line, built by hand or typed, with what it means and when it comes next.
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck } from "lucide-react";
import { useEffect, useState } from "react";
import { cronQuery } from "@/api/schedules";
import { sentence } from "@/components/words";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { cn } from "@/lib/cn";
import { EVERY, readCron, type Rule, USUAL, type Way, WAYS, WEEKDAYS, writeCron } from "./cron";
import { NextTimes } from "./next-times";

const SETTLE_MS = 250;
const LABELS: Record<Way, string> = {
  minutes: "Every few minutes",
  hourly: "Every hour",
  daily: "Every day",
  weekly: "On days of the week",
  monthly: "Every month",
};

interface CronBuilderProps {
  value: string;
  onChange: (cron: string) => void;
  timezone: string;
  error: string | undefined;
}

export function CronBuilder({ value, onChange, timezone, error }: CronBuilderProps) {
  const rule = readCron(value);
  const change = (part: Partial<Rule>) => onChange(writeCron({ ...(rule ?? USUAL), ...part }));
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-end gap-3">
        <Field label="How often">
          {(control) => (
            <Select
              {...control}
              className="w-48"
              value={rule?.way ?? "own"}
              choices={[
                ...WAYS.map((way) => ({ value: way, label: LABELS[way] })),
                ...(rule ? [] : [{ value: "own" as const, label: "As the line says" }]),
              ]}
              onChange={(way) => way !== "own" && change({ way })}
            />
          )}
        </Field>
        {rule?.way === "minutes" && (
          <Field label="Minutes between">
            {(control) => (
              <Select
                {...control}
                value={String(rule.every)}
                choices={EVERY.map((every) => ({ value: String(every), label: String(every) }))}
                onChange={(every) => change({ every: Number(every) })}
              />
            )}
          </Field>
        )}
        {rule?.way === "hourly" && (
          <Whole
            label="Minute"
            value={rule.minute}
            least={0}
            most={59}
            onChange={(minute) => change({ minute })}
          />
        )}
        {rule?.way === "monthly" && (
          <Whole label="Day" value={rule.day} least={1} most={31} onChange={(day) => change({ day })} />
        )}
        {rule && ["daily", "weekly", "monthly"].includes(rule.way) && (
          <Field label="At">
            {(control) => (
              <Input
                {...control}
                type="time"
                className="w-32"
                value={`${two(rule.hour)}:${two(rule.minute)}`}
                onChange={(event) => {
                  const [hour, minute] = event.target.value.split(":").map(Number);
                  if (hour !== undefined && minute !== undefined) change({ hour, minute });
                }}
              />
            )}
          </Field>
        )}
      </div>
      {rule?.way === "weekly" && (
        <Days chosen={rule.weekdays} onChange={(weekdays) => change({ weekdays })} />
      )}
      <Field
        label="Cron line"
        help="Minute, hour, day, month, weekday; @hourly, @daily, @weekly and @monthly, too."
        error={error}
      >
        {(control) => (
          <Input
            {...control}
            className="font-mono"
            spellCheck={false}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
      <Meaning cron={value} timezone={timezone} />
    </div>
  );
}

/** In the service's words. */
function Meaning({ cron, timezone }: { cron: string; timezone: string }) {
  const asked = useSettled(`${cron}\n${timezone}`).split("\n");
  const { data, error } = useQuery({
    ...cronQuery(asked[0] ?? "", asked[1] ?? "UTC"),
    enabled: Boolean(asked[0]?.trim()),
  });
  return (
    <div role="status" className="min-h-36 rounded-lg bg-muted px-4 py-3">
      {error ? (
        <p className="flex gap-2 text-danger">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          {sentence(error.message)}
        </p>
      ) : (
        data && (
          <>
            <p className="mb-2 flex gap-2 font-medium">
              <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-success" />
              {data.text}
            </p>
            <NextTimes times={data.next_runs} timezone={timezone} />
          </>
        )
      )}
    </div>
  );
}

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

interface WholeProps {
  label: string;
  value: number;
  least: number;
  most: number;
  onChange: (value: number) => void;
}

function Whole({ label, value, least, most, onChange }: WholeProps) {
  return (
    <Field label={label}>
      {(control) => (
        <Input
          {...control}
          type="number"
          className="w-24"
          min={least}
          max={most}
          value={value}
          onChange={(event) =>
            onChange(Math.min(most, Math.max(least, Math.trunc(Number(event.target.value)))))
          }
        />
      )}
    </Field>
  );
}

function Days({ chosen, onChange }: { chosen: readonly number[]; onChange: (days: number[]) => void }) {
  return (
    <div role="group" aria-label="Days of the week" className="flex flex-wrap gap-1.5">
      {[1, 2, 3, 4, 5, 6, 0].map((day) => {
        const isOn = chosen.includes(day);
        const next = isOn ? chosen.filter((other) => other !== day) : [...chosen, day];
        return (
          <button
            key={day}
            type="button"
            aria-pressed={isOn}
            // One day at least: a week without one is no schedule.
            onClick={() => next.length > 0 && onChange(next)}
            className={cn(
              "h-9 w-12 rounded-lg border text-sm font-medium",
              isOn ? "border-primary bg-primary text-white" : "border-input bg-card hover:bg-muted",
            )}
          >
            {WEEKDAYS[day]}
          </button>
        );
      })}
    </div>
  );
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
