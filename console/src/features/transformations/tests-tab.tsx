// What is tested of a transformation's rows after each run: column by column, and of all of them.
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { connectionsQuery } from "@/api/connections";
import { tableDetailQuery, tableSearchQuery } from "@/api/discovery";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Checkbox } from "@/components/ui/toggle";
import { asText } from "@/lib/as-text";
import { type ColumnTests, columnTests, withColumn, withTest } from "./model";
import type { Wish } from "./use-wish";

const SEVERITIES = [
  { value: "error", label: "The run fails" },
  { value: "warn", label: "It is only reported" },
] as const;

export function TestsTab({ wish: { now, put }, isReadOnly }: { wish: Wish; isReadOnly: boolean }) {
  const { tests } = now;
  const [added, setAdded] = useState<readonly string[]>([]);
  const [typed, setTyped] = useState("");
  const known = useColumns(now);
  const lines = columnTests(tests, [...known, ...added]);
  const set = (next: Record<string, unknown>) => put({ tests: next });
  const add = () => {
    const column = typed.trim();
    if (column !== "" && !lines.some((line) => line.column === column)) setAdded([...added, column]);
    setTyped("");
  };
  const sql = tests["sql"];
  return (
    <div className="flex flex-col gap-5">
      <Card className="overflow-x-auto">
        <table className="w-full text-sm" aria-label="Tests by column">
          <thead>
            <tr className="text-left text-xs text-muted-foreground">
              {["Column", "Unique", "Not null", "Accepted values", "Refers to"].map((header) => (
                <th key={header} scope="col" className="h-10 px-3 font-medium">
                  {header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <ColumnLine
                key={line.column}
                line={line}
                isReadOnly={isReadOnly}
                onChange={(changed) => set(withColumn(tests, changed))}
              />
            ))}
          </tbody>
        </table>
        <form
          className="flex items-center gap-2 border-t border-border p-3"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <Input
            aria-label="Another column"
            className="max-w-56"
            value={typed}
            readOnly={isReadOnly}
            placeholder={lines.length === 0 ? "The first column to test" : "Another column"}
            onChange={(event) => setTyped(event.target.value)}
          />
          <Button type="submit" disabled={isReadOnly || typed.trim() === ""}>
            <Plus aria-hidden /> Add column
          </Button>
        </form>
      </Card>
      <div className="grid gap-5 lg:grid-cols-3">
        <Field label="Rows" isOptional help="How many there must be: > 0, >= 10, = 3.">
          {(control) => (
            <Input
              {...control}
              className="font-mono"
              value={asText(tests["rows"] ?? "")}
              readOnly={isReadOnly}
              placeholder="> 0"
              onChange={(event) => set(withTest(tests, "rows", event.target.value))}
            />
          )}
        </Field>
        <Field label="Where a test fails">
          {(control) => (
            <Select
              {...control}
              className="w-full"
              value={tests["severity"] === "warn" ? "warn" : "error"}
              choices={SEVERITIES}
              disabled={isReadOnly}
              onChange={(severity) => set(withTest(tests, "severity", severity === "warn" ? "warn" : null))}
            />
          )}
        </Field>
      </div>
      {Array.isArray(sql) ? (
        <p className="text-muted-foreground">
          {sql.length} tests in SQL stand beside these; a call changes them.
        </p>
      ) : (
        <Field
          label="SQL"
          isOptional
          help={`Each row that it gives is a failure; {{ ref('${now.name}') }} names the rows.`}
        >
          {(control) => (
            <Textarea
              {...control}
              rows={4}
              className="font-mono text-xs"
              value={asText(sql ?? "")}
              readOnly={isReadOnly}
              placeholder={`select * from {{ ref('${now.name}') }} where total < 0`}
              onChange={(event) => set(withTest(tests, "sql", event.target.value))}
            />
          )}
        </Field>
      )}
    </div>
  );
}

interface ColumnLineProps {
  line: ColumnTests;
  isReadOnly: boolean;
  onChange: (line: ColumnTests) => void;
}

function ColumnLine({ line, isReadOnly, onChange }: ColumnLineProps) {
  const { column, isUnique, isNotNull } = line;
  // Half of a list would be read otherwise: it counts once it is left.
  const [accepted, setAccepted] = useState<string | null>(null);
  const settle = () => {
    if (accepted !== null && accepted !== line.accepted) onChange({ ...line, accepted });
    setAccepted(null);
  };
  return (
    <tr className="border-t border-border">
      <th scope="row" className="h-12 px-3 text-left font-mono text-xs font-medium">
        {column}
      </th>
      <td className="px-3">
        <Checkbox
          isLabelHidden
          label={`${column} is unique`}
          isOn={isUnique}
          disabled={isReadOnly}
          onChange={(isUnique) => onChange({ ...line, isUnique })}
        />
      </td>
      <td className="px-3">
        <Checkbox
          isLabelHidden
          label={`${column} is not null`}
          isOn={isNotNull}
          disabled={isReadOnly}
          onChange={(isNotNull) => onChange({ ...line, isNotNull })}
        />
      </td>
      <td className="px-3 py-1.5">
        <Input
          aria-label={`Values that ${column} may hold`}
          className="min-w-40"
          value={accepted ?? line.accepted}
          readOnly={isReadOnly}
          placeholder="free, paid"
          onChange={(event) => setAccepted(event.target.value)}
          onBlur={settle}
        />
      </td>
      <td className="px-3 py-1.5">
        <Input
          aria-label={`What ${column} refers to`}
          className="min-w-40 font-mono"
          value={line.reference}
          readOnly={isReadOnly}
          placeholder="customers.id"
          onChange={(event) => onChange({ ...line, reference: event.target.value })}
        />
      </td>
    </tr>
  );
}

/** Of its table or view, where its database was looked at since it was made. */
function useColumns({ connection, schema_name, name }: Wish["now"]): readonly string[] {
  const { data: connections = [] } = useQuery(connectionsQuery);
  const id = connections.find((one) => one.name === connection)?.id ?? "";
  const { data: found } = useQuery({ ...tableSearchQuery(id, name), enabled: id !== "" });
  const isKnown = found?.tables.some((table) => table.schema === schema_name && table.name === name);
  const { data } = useQuery({
    ...tableDetailQuery(id, schema_name, name),
    enabled: isKnown === true,
  });
  return data?.columns.map(({ name }) => name) ?? [];
}
