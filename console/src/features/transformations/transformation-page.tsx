// One transformation: its SQL, what the database gets of it, its tests, and where it stands among others.
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Save } from "lucide-react";
import { useMay } from "@/api/me";
import { transformationQuery } from "@/api/transformations";
import { Page } from "@/components/page";
import { ProblemAlert } from "@/components/problem-state";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Tabs } from "@/components/ui/tabs";
import { Time } from "@/components/ui/values";
import { useShortcuts } from "@/lib/keys";
import { Acts } from "./acts";
import { CompiledTab } from "./compiled-tab";
import { LineageTab } from "./lineage-tab";
import { countTests, materializationLabel } from "./model";
import { PreviewTab } from "./preview-tab";
import { SettingsTab } from "./settings-tab";
import { SqlTab } from "./sql-tab";
import { TestsTab } from "./tests-tab";
import { useWish } from "./use-wish";

const route = getRouteApi("/app/transformations/$transformation");

export function TransformationPage() {
  const { transformation: id } = route.useParams();
  // What is typed belongs to one of them.
  return <Opened key={id} id={id} />;
}

function Opened({ id }: { id: string }) {
  const { data: kept } = useSuspenseQuery(transformationQuery(id));
  const { tab = "sql" } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("edit");
  const wish = useWish(kept);
  const { now, isChanged } = wish;
  useShortcuts([{ keys: "mod+s", label: "Save", run: wish.save }]);
  const isReadOnly = !may.allowed;
  const tests = countTests(now.tests);
  const tabs = [
    { value: "sql", label: "SQL", content: <SqlTab wish={wish} isReadOnly={isReadOnly} /> },
    { value: "compiled", label: "Compiled", content: <CompiledTab id={id} sql={now.sql_body} /> },
    { value: "preview", label: "Preview", content: <PreviewTab transformation={now} /> },
    {
      value: "tests",
      label: <>Tests {tests > 0 && <Badge>{tests}</Badge>}</>,
      content: <TestsTab wish={wish} isReadOnly={isReadOnly} />,
    },
    { value: "settings", label: "Settings", content: <SettingsTab wish={wish} isReadOnly={isReadOnly} /> },
    { value: "lineage", label: "Lineage", content: <LineageTab transformation={kept} /> },
  ] as const;
  const lead = (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Badge>{materializationLabel(kept.materialization)}</Badge>
      <code className="font-mono text-xs">
        {kept.connection}.{kept.schema_name}.{kept.name}
      </code>
      <span>
        revision {kept.revision}, <Time at={kept.updated_at} />
      </span>
      <span className="flex items-center font-mono text-xs">
        {id.slice(0, 13)}…<CopyButton text={id} label="Copy the transformation's id" />
      </span>
    </span>
  );
  const actions = (
    <>
      {isChanged && <Button onClick={wish.drop}>Drop changes</Button>}
      <Button
        refusal={may.reason}
        isBusy={wish.isSaving}
        disabled={!isChanged}
        onClick={wish.save}
        aria-keyshortcuts="Control+S"
      >
        {!wish.isSaving && <Save aria-hidden />} {isChanged ? "Save" : "Saved"}
      </Button>
      <Acts transformation={kept} isPage refusal={isChanged ? "Save it first: what is kept runs." : null} />
    </>
  );
  return (
    <Page title={kept.name} lead={lead} actions={actions}>
      {kept.description && <p className="max-w-prose">{kept.description}</p>}
      <ProblemAlert title="It was not saved." error={wish.error} />
      <Tabs
        label="Parts of the transformation"
        value={tab}
        onChange={(tab) => void navigate({ search: { tab }, replace: true })}
        tabs={tabs}
      />
    </Page>
  );
}
