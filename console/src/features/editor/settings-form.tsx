// A form drawn from the JSON Schema of a block's settings.
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { isRecord } from "./graph";
import { plain, type Schema } from "@/lib/json-schema";
import { type FormContext, labelOf, SettingField } from "./setting-field";
import type { Path } from "./yaml-nodes";

/** Keys that every block may have, beside its own. */
const COMMON: Record<string, Schema> = {
  after: {
    type: "names",
    "x-input": "order",
    description: "Blocks that must be done before this one starts.",
  },
  boundary: {
    type: "string",
    enum: ["stream", "checkpoint", "auto"],
    default: "auto",
    description: "Whether the rows are made durable before their readers start.",
  },
  description: { type: "string", description: "What this block is for." },
};

export function SettingsForm({ editing, block, isReadOnly }: FormContext) {
  const { kind, settings } = block;
  if (!kind) return null;
  const root = kind.schema;
  const own = Object.entries(root.properties ?? {});
  const required = new Set([kind.keyword, ...(root.required ?? [])]);
  const isShown = ([key]: [string, Schema]) => required.has(key) || settings[key] !== undefined;
  const common = Object.entries(COMMON).filter(([key]) => key !== "boundary" || kind.output !== null);
  const all = [...own, ...common];
  const context = { editing, block, isReadOnly };
  return (
    <div className="flex flex-col gap-4">
      {all.filter(isShown).map(([key, schema]) => (
        <Setting
          key={key}
          {...context}
          path={[key]}
          schema={schema}
          value={settings[key]}
          isRequired={required.has(key)}
        />
      ))}
      <More key={block.id} fields={all.filter((entry) => !isShown(entry))} context={context} />
    </div>
  );
}

function More({ fields, context }: { fields: [string, Schema][]; context: FormContext }) {
  const [isOpen, setOpen] = useState(false);
  if (fields.length === 0 || context.isReadOnly) return null;
  return (
    <div className="flex flex-col gap-4 border-t border-border pt-3">
      <Button
        variant="ghost"
        size="sm"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="self-start"
      >
        <ChevronRight
          aria-hidden
          className={isOpen ? "rotate-90 transition-transform" : "transition-transform"}
        />
        More settings ({fields.length})
      </Button>
      {isOpen &&
        fields.map(([key, schema]) => (
          <Setting key={key} {...context} path={[key]} schema={schema} value={undefined} isRequired={false} />
        ))}
    </div>
  );
}

interface SettingProps extends FormContext {
  path: Path;
  schema: Schema;
  value: unknown;
  isRequired: boolean;
}

/** One setting; a map of settings becomes a group of them. */
function Setting(props: SettingProps) {
  const { path, schema, value, block } = props;
  const at = plain(schema, block.kind?.schema ?? {});
  // A value that is no group of settings is written as it is.
  const isGroup = isRecord(value) || value === undefined || value === null || value === "";
  if (!at.properties || !isGroup) return <SettingField {...props} schema={at} />;
  const values = isRecord(value) ? value : {};
  const required = new Set(at.required);
  return (
    <fieldset className="flex flex-col gap-3 rounded-lg border border-border p-3">
      <legend className="px-1 text-sm font-medium">{labelOf(path, at)}</legend>
      {at.description && (
        <p className="-mt-2 text-xs text-muted-foreground">{at.description.replaceAll("`", "")}</p>
      )}
      {Object.entries(at.properties).map(([key, part]) => (
        <Setting
          key={key}
          {...props}
          path={[...path, key]}
          schema={part}
          value={values[key]}
          // What a group must have counts once there is a group.
          isRequired={required.has(key) && (isRecord(value) || props.isRequired)}
        />
      ))}
    </fieldset>
  );
}
