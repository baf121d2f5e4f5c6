// What stands on the dashboard of an organization that has nothing yet: begin with systems of one's own, or with a sample.
import { useNavigate } from "@tanstack/react-router";
import { FlaskConical, Sparkles } from "lucide-react";
import { useMay } from "@/api/me";
import { useSampleShop } from "@/api/sample";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";

export function Welcome() {
  const may = useMay("edit");
  const navigate = useNavigate();
  const sample = useSampleShop();
  if (!may.allowed) return null;
  const begin = () =>
    sample.mutate(undefined, {
      onSuccess: ({ id }) => void navigate({ to: "/runs/$run", params: { run: id } }),
    });
  return (
    <Card className="flex flex-col gap-4 p-6">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-4">
        <span className="grid size-14 shrink-0 place-items-center rounded-2xl bg-accent text-accent-foreground">
          <Sparkles aria-hidden className="size-7" />
        </span>
        <div className="min-w-64 flex-1">
          <h2 className="text-lg font-semibold">Nothing has been built here yet</h2>
          <p className="max-w-2xl text-muted-foreground">
            Connect your systems, and five steps move their tables. Or look around first with a sample shop:
            10,000 orders are put among your files, and a pipeline joins, tests and sums them up.
          </p>
        </div>
        <Button isBusy={sample.isPending} onClick={begin}>
          <FlaskConical aria-hidden /> Try a sample shop
        </Button>
      </div>
      <ProblemAlert title="The sample shop could not be set up." error={sample.error} />
    </Card>
  );
}
