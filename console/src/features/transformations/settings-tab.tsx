// What becomes of a transformation's rows, and where.
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { MATERIALIZATIONS } from "./model";
import type { Wish } from "./use-wish";

export function SettingsTab({ wish: { now, put }, isReadOnly }: { wish: Wish; isReadOnly: boolean }) {
  const isIncremental = now.materialization === "incremental";
  return (
    <Card className="flex max-w-3xl flex-col gap-4 p-5">
      <Field label="Description" isOptional>
        {(control) => (
          <Input
            {...control}
            value={now.description ?? ""}
            readOnly={isReadOnly}
            placeholder="What it is for"
            onChange={(event) => put({ description: event.target.value })}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Becomes"
          help={MATERIALIZATIONS.find(({ value }) => value === now.materialization)?.help}
        >
          {(control) => (
            <Select
              {...control}
              className="w-full"
              value={now.materialization}
              choices={MATERIALIZATIONS}
              onChange={(materialization) => put({ materialization })}
              disabled={isReadOnly}
            />
          )}
        </Field>
        <Field label="Schema" help={`Of the database behind ${now.connection}.`}>
          {(control) => (
            <Input
              {...control}
              value={now.schema_name}
              readOnly={isReadOnly}
              onChange={(event) => put({ schema_name: event.target.value })}
            />
          )}
        </Field>
      </div>
      {isIncremental && (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Key" help="The columns that name a row, between commas.">
            {(control) => (
              <Input
                {...control}
                value={now.unique_key.join(", ")}
                readOnly={isReadOnly}
                placeholder="id"
                onChange={(event) =>
                  put({ unique_key: event.target.value.split(",").map((part) => part.trim()) })
                }
              />
            )}
          </Field>
          <Field
            label="Cursor"
            isOptional
            help="A column that grows: only what is new in it is read; left empty, everything is."
          >
            {(control) => (
              <Input
                {...control}
                value={now.cursor ?? ""}
                readOnly={isReadOnly}
                placeholder="updated_at"
                onChange={(event) => put({ cursor: event.target.value })}
              />
            )}
          </Field>
        </div>
      )}
    </Card>
  );
}
