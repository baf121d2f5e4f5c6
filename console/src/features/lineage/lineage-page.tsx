// The lineage of the whole organization: what reads and writes what, what begins after what, and how it stands.
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, Share2, X } from "lucide-react";
import { lazy, Suspense, useMemo, useRef } from "react";
import { lineageQuery } from "@/api/lineage";
import { useMay } from "@/api/me";
import { GraphWays } from "@/components/graph/ways";
import { Page } from "@/components/page";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { SearchInput } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { EmptyState, Skeleton } from "@/components/ui/states";
import { cn } from "@/lib/cn";
import { useShortcuts } from "@/lib/keys";
import { pick } from "@/lib/selector";
import { Legend } from "./legend";
import { LineageOutline } from "./lineage-outline";
import { healthOf, partOf } from "./model";
import { NodePanel } from "./node-panel";
import { PartDialog } from "./part-dialog";
import { useOrder } from "./use-order";

const LineageGraph = lazy(() =>
  import("./lineage-graph").then(({ LineageGraph }) => ({ default: LineageGraph })),
);
const route = getRouteApi("/app/dag");

export function LineagePage() {
  const { data: lineage } = useSuspenseQuery(lineageQuery);
  const { q = "", by, as, at } = route.useSearch();
  const navigate = route.useNavigate();
  const [edit, remove] = [useMay("edit"), useMay("delete")];
  const order = useOrder(lineage);
  const box = useRef<HTMLInputElement>(null);
  const health = useMemo(() => healthOf(lineage), [lineage]);
  const part = useMemo(() => partOf(lineage, pick(q, lineage.nodes, lineage.edges)), [lineage, q]);
  const chosen = lineage.nodes.find(({ id }) => id === at) ?? null;
  const put = (next: { [Key in "q" | "by" | "as" | "at"]?: ReturnType<typeof route.useSearch>[Key] }) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const choose = (id: string | undefined) => put({ at: id });
  useShortcuts([{ keys: "/", label: "Select", run: () => box.current?.focus() }]);
  const doomed = order.doomed && {
    edge: order.doomed,
    from: lineage.nodes.find(({ id }) => id === order.doomed?.from),
    to: lineage.nodes.find(({ id }) => id === order.doomed?.to),
  };
  if (lineage.nodes.length === 0) return <Nothing refusal={edit.reason} />;
  return (
    <Page title="Lineage" lead="What reads and writes what, and what begins after what.">
      <div className="flex flex-wrap items-center gap-2">
        <SearchInput
          ref={box}
          label="Select, such as +orders+2"
          value={q}
          onChange={(q) => put({ q: q || undefined })}
          className="w-full max-w-xs"
        />
        <Select
          label="Colours"
          value={by ?? "kind"}
          choices={[
            { value: "kind", label: "Coloured by kind" },
            { value: "health", label: "Coloured by health" },
          ]}
          onChange={(by) => put({ by: by === "health" ? by : undefined })}
        />
        <span className="ml-auto">
          <GraphWays
            isOutline={as === "outline"}
            onChange={(toOutline) => put({ as: toOutline ? "outline" : undefined })}
          />
        </span>
      </div>
      {order.refused && (
        <Alert kind="danger" title={order.refused.words}>
          <Button size="sm" className="mt-2" onClick={order.forget}>
            <X aria-hidden /> Leave it as it was
          </Button>
        </Alert>
      )}
      <div
        className={cn(
          "grid gap-4",
          chosen &&
            (as === "outline" ? "2xl:grid-cols-[minmax(0,1fr)_22rem]" : "lg:grid-cols-[minmax(0,1fr)_22rem]"),
          as !== "outline" && "lg:h-[clamp(24rem,calc(100vh-19rem),60rem)]",
        )}
      >
        {part.nodes.length === 0 ? (
          <EmptyState
            icon={Share2}
            title="Nothing is called so."
            action={<Button onClick={() => put({ q: undefined })}>Show all</Button>}
          />
        ) : as === "outline" ? (
          <LineageOutline
            part={part}
            health={health}
            chosen={at ?? null}
            onChoose={choose}
            onPart={order.setDoomed}
            refusal={remove.reason}
          />
        ) : (
          <div className="h-[clamp(20rem,45vh,46rem)] overflow-hidden rounded-xl border border-border bg-card lg:h-auto">
            <Suspense fallback={<Skeleton className="h-full" />}>
              <LineageGraph
                part={part}
                health={health}
                isByHealth={by === "health"}
                chosen={at ?? null}
                onChoose={choose}
                refused={order.refused}
                onJoin={order.join}
                onPart={order.setDoomed}
                mayJoin={edit.allowed}
                mayPart={remove.allowed}
              />
            </Suspense>
          </div>
        )}
        {chosen && (
          <NodePanel
            node={chosen}
            lineage={lineage}
            status={health.get(chosen.id)}
            order={order}
            onChoose={choose}
            onPick={(q) => put({ q })}
          />
        )}
      </div>
      {as !== "outline" && <Legend isByHealth={by === "health"} mayJoin={edit.allowed} />}
      {doomed?.from && doomed.to && (
        <PartDialog
          edge={doomed.edge}
          from={doomed.from}
          to={doomed.to}
          onClose={() => order.setDoomed(null)}
        />
      )}
    </Page>
  );
}

function Nothing({ refusal }: { refusal: string | null }) {
  return (
    <Page title="Lineage" lead="What reads and writes what, and what begins after what.">
      <EmptyState
        icon={Share2}
        title="Pipelines, what they read and what they write are drawn here once there is one."
        action={
          <Button asChild={refusal === null} variant="primary" refusal={refusal}>
            {refusal === null ? (
              <Link to="/pipelines" search={{ new: true }}>
                <Plus aria-hidden /> New pipeline
              </Link>
            ) : (
              "New pipeline"
            )}
          </Button>
        }
        link={<Link to="/connections">First connect the systems</Link>}
      />
    </Page>
  );
}
