// Four ways to begin a pipeline, all of which end in the same file.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FileCode2, LayoutTemplate, ListChecks, Workflow } from "lucide-react";
import { useState } from "react";
import { catalogueQuery } from "@/api/catalogue";
import { connectionsQuery } from "@/api/connections";
import { useCreatePipeline } from "@/api/pipeline-files";
import { ProblemAlert } from "@/components/problem-state";
import { CARD, ChoiceCard } from "@/components/ui/choice-card";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input, Textarea } from "@/components/ui/input";
import { nameProblem } from "@/lib/pipeline-name";
import { blueprints } from "./blueprints";

const BLANK = "blocks: {}\n";
const EXAMPLE = "from: shop.public.orders\nto: warehouse.raw.orders\nsync: {cursor: updated_at, key: id}\n";

type Way = "canvas" | "yaml" | "blueprint";

export function NewDialog({ onClose }: { onClose: () => void }) {
  const [way, setWay] = useState<Way>("canvas");
  const [name, setName] = useState("");
  const [text, setText] = useState(EXAMPLE);
  const [isTried, setTried] = useState(false);
  const create = useCreatePipeline();
  const { data: connections = [] } = useQuery(connectionsQuery);
  const { data: catalogue } = useQuery(catalogueQuery);
  const prints = blueprints(connections, catalogue?.connectors ?? []);
  const [first] = prints;
  const navigate = useNavigate();
  const wrong = nameProblem(name);
  const submit = () => {
    setTried(true);
    if (wrong) return;
    create.mutate(
      { name, text: way === "canvas" ? BLANK : text, status: "draft", message: "Begun" },
      { onSuccess: ({ id }) => void navigate({ to: "/pipelines/$pipeline", params: { pipeline: id } }) },
    );
  };
  return (
    <FormDialog
      noValidate
      onClose={onClose}
      title="New pipeline"
      description="Every way ends in the same file; it can be changed by drawing and by writing afterwards."
      action="Create draft"
      onSubmit={submit}
      isBusy={create.isPending}
    >
      <div className="grid gap-2 grid-cols-2 sm:grid-cols-4">
        <Link to="/pipelines/new" className={CARD}>
          <ListChecks aria-hidden className="size-5 text-link" />
          <span className="font-medium">Wizard</span>
          <span className="text-xs text-muted-foreground">Five steps from tables to tables.</span>
        </Link>
        <ChoiceCard
          icon={Workflow}
          label="Blank canvas"
          words="Draw it block by block."
          isChosen={way === "canvas"}
          onChoose={() => setWay("canvas")}
        />
        <ChoiceCard
          icon={FileCode2}
          label="YAML"
          words="Paste or write the file."
          isChosen={way === "yaml"}
          onChoose={() => {
            setWay("yaml");
            setText(EXAMPLE);
          }}
        />
        <ChoiceCard
          icon={LayoutTemplate}
          label="Blueprint"
          words="Begin with a whole file."
          isChosen={way === "blueprint"}
          onChoose={() => {
            setWay("blueprint");
            setText(first?.text ?? "");
          }}
        />
      </div>
      {way === "blueprint" && (
        <div role="group" aria-label="Blueprints" className="grid gap-2 sm:grid-cols-3">
          {prints.map((print) => (
            <ChoiceCard
              key={print.id}
              icon={print.icon}
              label={print.label}
              words={print.words}
              isChosen={print.text === text}
              onChoose={() => setText(print.text)}
            />
          ))}
        </div>
      )}
      <Field label="Name" error={isTried ? (wrong ?? undefined) : undefined}>
        {(control) => (
          <Input
            {...control}
            autoFocus
            value={name}
            placeholder="orders_to_warehouse"
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {way !== "canvas" && (
        <Field label="File">
          {(control) => (
            <Textarea
              {...control}
              rows={9}
              className="font-mono text-xs"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
      )}
      <ProblemAlert title="It was not created." error={create.error} />
    </FormDialog>
  );
}
