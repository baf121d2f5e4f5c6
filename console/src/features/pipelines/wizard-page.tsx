// Five steps from tables to tables; the last shows the file that they are.
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowLeft, ArrowRight, Check } from "lucide-react";
import { useRef, useState } from "react";
import { catalogueQuery, connectorOf } from "@/api/catalogue";
import { connectionsQuery } from "@/api/connections";
import { useMay } from "@/api/me";
import { useCreatePipeline } from "@/api/pipeline-files";
import { Page } from "@/components/page";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { cn } from "@/lib/cn";
import { nameProblem } from "@/lib/pipeline-name";
import { DestinationStep, ReviewStep, SourceStep, WriteStep } from "./wizard-steps";
import { TablesStep } from "./wizard-tables";
import { fileOf, fittingWrite, missing, NOTHING, STEPS, type Wishes } from "./wizard";

export function WizardPage() {
  const { data: connections } = useSuspenseQuery(connectionsQuery);
  const { data: catalogue } = useSuspenseQuery(catalogueQuery);
  const [wishes, setWishes] = useState<Wishes>(NOTHING);
  const [step, setStep] = useState(0);
  const [isTried, setTried] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const edit = useMay("edit");
  const create = useCreatePipeline();
  const navigate = useNavigate();
  const hasFiles = (name: string) => {
    const type = connections.find((connection) => connection.name === name)?.type ?? "";
    return connectorOf(catalogue.connectors, type)?.places === "paths";
  };
  const put = (next: Partial<Wishes>) => setWishes((before) => ({ ...before, ...next }));
  const wrong = step === STEPS.length - 1 ? nameProblem(wishes.name) : missing(wishes, step);
  const go = (next: number) => {
    setTried(false);
    setStep(next);
    requestAnimationFrame(() => heading.current?.focus());
  };
  const submit = (event: React.SyntheticEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong !== null) return;
    if (step === 2) put({ write: fittingWrite(wishes) });
    if (step < STEPS.length - 1) {
      if (step === 3 && wishes.name === "") put({ name: `${wishes.source}_to_${wishes.destination}` });
      go(step + 1);
      return;
    }
    create.mutate(
      { name: wishes.name, text: fileOf(wishes), status: "active", message: "Made by the wizard" },
      { onSuccess: ({ id }) => void navigate({ to: "/pipelines/$pipeline", params: { pipeline: id } }) },
    );
  };
  const shared = { wishes, put, connections };
  return (
    <Page title="New pipeline" lead="Five steps; the file they make can be drawn and written on afterwards.">
      <ol className="flex flex-wrap gap-2" aria-label="Steps">
        {STEPS.map((name, index) => (
          <li key={name} aria-current={index === step ? "step" : undefined}>
            <Button
              variant="ghost"
              size="sm"
              disabled={index > step}
              onClick={() => go(index)}
              className={cn(index === step && "bg-accent text-accent-foreground")}
            >
              <span className="grid size-5 place-items-center rounded-full border border-current text-[11px]">
                {index < step ? <Check aria-hidden className="size-3" /> : index + 1}
              </span>
              {name}
            </Button>
          </li>
        ))}
      </ol>
      <form noValidate onSubmit={submit}>
        <Card className="flex flex-col gap-5 p-6">
          <h2 ref={heading} tabIndex={-1} className="text-lg font-semibold outline-none">
            {step + 1}. {STEPS[step]}
          </h2>
          {step === 0 && <SourceStep {...shared} onPick={() => setTried(false)} />}
          {step === 1 && <TablesStep {...shared} hasFiles={hasFiles(wishes.source)} />}
          {step === 2 && <DestinationStep {...shared} hasFiles={hasFiles} />}
          {step === 3 && <WriteStep {...shared} />}
          {step === 4 && <ReviewStep {...shared} text={fileOf(wishes)} />}
          {isTried && wrong !== null && <Alert kind="warning">{wrong}</Alert>}
          <ProblemAlert title="It was not created." error={create.error} />
        </Card>
        <div className="mt-4 flex justify-between">
          {step === 0 ? (
            <Button asChild>
              <Link to="/pipelines">Cancel</Link>
            </Button>
          ) : (
            <Button onClick={() => go(step - 1)}>
              <ArrowLeft aria-hidden /> Back
            </Button>
          )}
          <Button type="submit" variant="primary" refusal={edit.reason} isBusy={create.isPending}>
            {step < STEPS.length - 1 ? "Next" : "Create pipeline"} <ArrowRight aria-hidden />
          </Button>
        </div>
      </form>
    </Page>
  );
}
