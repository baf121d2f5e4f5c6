// Makes a transformation; its SQL is written on its page.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { catalogueQuery } from "@/api/catalogue";
import { connectionsQuery } from "@/api/connections";
import { ApiProblem } from "@/api/problem";
import { sourcesQuery, useCreateTransformation } from "@/api/transformations";
import { ProblemAlert } from "@/components/problem-state";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { MATERIALIZATIONS } from "./model";

const NAME = /^[A-Za-z0-9_]{1,50}$/;
const WAREHOUSE = "warehouse";

export function NewDialog({ onClose }: { onClose: () => void }) {
  const { data: connections = [] } = useQuery(connectionsQuery);
  const { data: catalogue } = useQuery(catalogueQuery);
  const { data: sources = [] } = useQuery(sourcesQuery);
  const create = useCreateTransformation();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [typed, setConnection] = useState("");
  const [schema, setSchema] = useState("");
  const [materialization, setMaterialization] = useState(MATERIALIZATIONS[0]?.value ?? "view");
  const [isTried, setTried] = useState(false);
  const tables = catalogue?.connectors
    .filter(({ places }) => places === "tables")
    .flatMap(({ schemes }) => schemes);
  const databases = connections.filter(({ type }) => tables?.includes(type));
  const usual = databases.find(({ name }) => name === WAREHOUSE) ?? databases[0];
  const connection = typed || (usual?.name ?? "");
  const isSchemaNeeded = connection !== WAREHOUSE;
  const wrong = {
    name: NAME.test(name) ? undefined : "1 to 50 letters, digits and _: its table or view is called so.",
    connection: connection === "" ? "There is no database yet: connect one first." : undefined,
    schema: isSchemaNeeded && schema.trim() === "" ? "The schema that its table or view lies in." : undefined,
  };
  const served = create.error instanceof ApiProblem ? create.error : null;
  const errorOf = (field: keyof typeof wrong, key: string) =>
    (isTried ? wrong[field] : undefined) ?? (served?.field === key ? served.message : undefined);
  const submit = () => {
    setTried(true);
    if (wrong.name ?? wrong.connection ?? wrong.schema) return;
    const source = sources.find((one) => one.connection === connection);
    create.mutate(
      {
        name,
        connection,
        materialization,
        ...(schema.trim() !== "" && { schema_name: schema.trim() }),
        sql_body: source
          ? `select *\nfrom {{ source('${source.source}', '${source.table}') }}\n`
          : "select 1 as id\n",
      },
      {
        onSuccess: ({ id }) =>
          void navigate({ to: "/transformations/$transformation", params: { transformation: id } }),
      },
    );
  };
  return (
    <FormDialog
      noValidate
      onClose={onClose}
      title="New transformation"
      description="Its SQL is written next; nothing runs until it is told to."
      action="Create"
      onSubmit={submit}
      isBusy={create.isPending}
    >
      <Field label="Name" error={errorOf("name", "name")}>
        {(control) => (
          <Input
            {...control}
            autoFocus
            value={name}
            placeholder="orders_clean"
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Database" error={errorOf("connection", "connection")}>
          {(control) => (
            <Select
              {...control}
              className="w-full"
              value={connection}
              choices={databases.map(({ name }) => ({ value: name, label: name }))}
              onChange={setConnection}
            />
          )}
        </Field>
        <Field label="Schema" isOptional={!isSchemaNeeded} error={errorOf("schema", "schema_name")}>
          {(control) => (
            <Input
              {...control}
              value={schema}
              placeholder={isSchemaNeeded ? "public" : "staging"}
              onChange={(event) => setSchema(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Field label="Becomes" help={MATERIALIZATIONS.find(({ value }) => value === materialization)?.help}>
        {(control) => (
          <Select
            {...control}
            className="w-full"
            value={materialization}
            choices={MATERIALIZATIONS}
            onChange={setMaterialization}
          />
        )}
      </Field>
      {!["name", "connection", "schema_name"].includes(served?.field ?? "") && (
        <ProblemAlert title="It was not created." error={create.error} />
      )}
    </FormDialog>
  );
}
