// The form of a connection: it is tested before it can be saved, and again when it leads elsewhere.
import { zodResolver } from "@hookform/resolvers/zod";
import { ChevronRight, Plug } from "lucide-react";
import { useId, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import type { Connector } from "@/api/catalogue";
import { type Connection, useSaveConnection, useTestConnection, useTestDraft } from "@/api/connections";
import { ApiProblem } from "@/api/problem";
import { ProblemAlert } from "@/components/problem-state";
import { sentence } from "@/components/words";
import { SettingInput } from "@/components/setting-input";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { cn } from "@/lib/cn";
import { useShortcuts } from "@/lib/keys";
import type { SettingField } from "@/lib/setting-fields";
import { draftOf, fieldsOf, formSchema, isKept, signature, type Values, valuesOf } from "./form";
import { TestResult } from "./test-result";

interface ConnectionFormProps {
  connector: Connector;
  /** The one that is edited; null for a new one. */
  connection: Connection | null;
  /** Names that are taken. */
  others: readonly string[];
  folders: readonly string[];
  onDone: () => void;
  onBack: (() => void) | null;
}

const DIRECTIONS = [
  { value: "both", label: "Source and destination" },
  { value: "source", label: "Source only" },
  { value: "destination", label: "Destination only" },
] as const;
/** Half as wide as the others. */
const NARROW = ["port", "database", "username", "password"];

export function ConnectionForm({
  connector,
  connection,
  others,
  folders,
  onDone,
  onBack,
}: ConnectionFormProps) {
  const [fields] = useState(() => fieldsOf(connector.settings));
  const [isAdvanced, setAdvanced] = useState(false);
  const folderList = useId();
  const form = useForm<Values>({
    resolver: zodResolver(formSchema(fields, others)),
    defaultValues: valuesOf(fields, connection),
  });
  const { control, handleSubmit, watch, formState, setError } = form;
  const values = watch();
  const test = useTestDraft();
  const save = useSaveConnection();
  const retest = useTestConnection();
  const [passed, setPassed] = useState<string | null>(null);
  // What the shown answer is about.
  const [asked, setAsked] = useState<string | null>(null);

  const now = signature(fields, values);
  const isAsBefore = connection !== null && now === signature(fields, valuesOf(fields, connection));
  const canSave = isAsBefore || passed === now;
  const type = connection?.type ?? connector.schemes[0] ?? connector.name;

  const tryOut = (values: Values) => {
    const sent = signature(fields, values);
    setAsked(sent);
    test.mutate(draftOf(fields, values, type, connection), {
      onSuccess: ({ success }) => setPassed(success ? sent : null),
      onError: showField,
    });
  };
  const keep = (values: Values) => {
    save.mutate(draftOf(fields, values, type, connection), {
      onSuccess: (saved) => {
        toast("success", connection ? `${saved.name} was changed.` : `${saved.name} was added.`);
        // Its card shows the test of what is kept.
        if (!isAsBefore) retest.mutate(saved.id);
        onDone();
      },
      onError: showField,
    });
  };
  const showField = (error: unknown) => {
    if (error instanceof ApiProblem && error.field === "name")
      setError("name", { message: sentence(error.message) }, { shouldFocus: true });
  };
  const submit = (what: (values: Values) => void) => () =>
    void handleSubmit(what, (wrong) => {
      if (fields.advanced.some(({ key }) => wrong.settings?.[key])) setAdvanced(true);
    })();
  useShortcuts([
    { keys: "mod+Enter", label: "Test the connection", run: submit(tryOut) },
    ...(canSave ? [{ keys: "mod+s", label: "Save", run: submit(keep) }] : []),
  ]);

  const draw = (field: SettingField) => (
    <Controller
      key={field.key}
      control={control}
      name={`settings.${field.key}`}
      render={({ field: { value, onChange }, fieldState: { error } }) => (
        <SettingInput
          field={field}
          value={value}
          onChange={onChange}
          error={error?.message}
          isKept={isKept(connection, field.key)}
          className={NARROW.includes(field.key) || field.key === "host" ? "sm:col-span-1" : "sm:col-span-2"}
        />
      )}
    />
  );
  const isShown = asked === now || test.isPending;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit(canSave ? keep : tryOut)();
      }}
      className="flex flex-col gap-5"
    >
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Field label="Connection name" error={formState.errors.name?.message} className="sm:col-span-2">
          {(control) => <Input {...control} {...form.register("name")} autoComplete="off" autoFocus />}
        </Field>
        {fields.usual.map(draw)}
        <Controller
          control={control}
          name="direction"
          render={({ field: { value, onChange } }) => (
            <Field label="Used as">
              {(control) => <Select {...control} value={value} onChange={onChange} choices={DIRECTIONS} />}
            </Field>
          )}
        />
        <Field label="Folder" isOptional>
          {(control) => (
            <Input {...control} {...form.register("folder")} list={folderList} autoComplete="off" />
          )}
        </Field>
        <datalist id={folderList}>
          {folders.map((folder) => (
            <option key={folder} value={folder} />
          ))}
        </datalist>
      </div>
      {fields.advanced.length > 0 && (
        <div className="rounded-lg border border-border">
          <button
            type="button"
            aria-expanded={isAdvanced}
            onClick={() => setAdvanced(!isAdvanced)}
            className="flex h-10 w-full items-center gap-2 rounded-lg px-3 font-medium hover:bg-muted"
          >
            <ChevronRight
              aria-hidden
              className={cn("size-4 transition-transform", isAdvanced && "rotate-90")}
            />
            Advanced
          </button>
          {isAdvanced && (
            <div className="grid grid-cols-1 gap-4 border-t border-border p-4 sm:grid-cols-2">
              {fields.advanced.map(draw)}
            </div>
          )}
        </div>
      )}
      <div className="sticky -bottom-5 -mx-6 -mb-5 flex flex-col gap-3 border-t border-border bg-raised px-6 py-3">
        {isShown && <TestResult answer={test.isPending ? undefined : test.data} error={test.error} />}
        <ProblemAlert title="The connection could not be saved." error={save.error} />
        <div className="flex flex-wrap items-center gap-2">
          {onBack && (
            <Button variant="ghost" onClick={onBack}>
              Other type
            </Button>
          )}
          <p role="status" className="ml-auto text-xs text-muted-foreground">
            {test.isPending
              ? "Signing in; this takes up to 5 s."
              : !canSave && "Test it to be able to save it."}
          </p>
          {/* What Enter does: a form whose own button is disabled does nothing otherwise. */}
          <Button
            type={canSave ? "button" : "submit"}
            {...(canSave && { onClick: submit(tryOut) })}
            isBusy={test.isPending}
          >
            {!test.isPending && <Plug aria-hidden />} Test connection
          </Button>
          <Button type="submit" variant="primary" disabled={!canSave} isBusy={save.isPending}>
            Save
          </Button>
        </div>
      </div>
    </form>
  );
}
