// Three ways to begin a pipeline, all of which end in the same file.
import { Link, useNavigate } from "@tanstack/react-router";
import { FileCode2, ListChecks, Workflow } from "lucide-react";
import { useState } from "react";
import { useCreatePipeline } from "@/api/pipeline-files";
import { ProblemAlert } from "@/components/problem-state";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input, Textarea } from "@/components/ui/input";
import { cn } from "@/lib/cn";
import { nameProblem } from "@/lib/pipeline-name";

const BLANK = "blocks: {}\n";
const EXAMPLE = "from: shop.public.orders\nto: warehouse.raw.orders\nsync: {cursor: updated_at, key: id}\n";

type Way = "canvas" | "yaml";

export function NewDialog({ onClose }: { onClose: () => void }) {
  const [way, setWay] = useState<Way>("canvas");
  const [name, setName] = useState("");
  const [text, setText] = useState(EXAMPLE);
  const [isTried, setTried] = useState(false);
  const create = useCreatePipeline();
  const navigate = useNavigate();
  const wrong = nameProblem(name);
  const submit = () => {
    setTried(true);
    if (wrong) return;
    create.mutate(
      { name, text: way === "yaml" ? text : BLANK, status: "draft", message: "Begun" },
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
      <div className="grid gap-2 sm:grid-cols-3">
        <Link to="/pipelines/new" className={card(false)}>
          <ListChecks aria-hidden className="size-5 text-link" />
          <span className="font-medium">Wizard</span>
          <span className="text-xs text-muted-foreground">Five steps from tables to tables.</span>
        </Link>
        <button
          type="button"
          aria-pressed={way === "canvas"}
          onClick={() => setWay("canvas")}
          className={card(way === "canvas")}
        >
          <Workflow aria-hidden className="size-5 text-link" />
          <span className="font-medium">Blank canvas</span>
          <span className="text-xs text-muted-foreground">Draw it block by block.</span>
        </button>
        <button
          type="button"
          aria-pressed={way === "yaml"}
          onClick={() => setWay("yaml")}
          className={card(way === "yaml")}
        >
          <FileCode2 aria-hidden className="size-5 text-link" />
          <span className="font-medium">YAML</span>
          <span className="text-xs text-muted-foreground">Paste or write the file.</span>
        </button>
      </div>
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
      {way === "yaml" && (
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

function card(isChosen: boolean): string {
  return cn(
    "flex flex-col items-start gap-1 rounded-xl border border-border p-3 text-left hover:border-primary/60 hover:bg-muted",
    isChosen && "border-primary bg-accent/50 ring-1 ring-primary",
  );
}
