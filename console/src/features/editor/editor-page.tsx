// A pipeline on its canvas, with its file below and the chosen block at the side.
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { ReactFlowProvider } from "@xyflow/react";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import { catalogueQuery } from "@/api/catalogue";
import { useMay } from "@/api/me";
import type { FileProblem } from "@/api/pipeline-checks";
import { pipelineQuery } from "@/api/pipeline-files";
import { ApiProblem } from "@/api/problem";
import { type Run, useBeginRun } from "@/api/runs";
import { toast } from "@/components/ui/toast";
import { useShortcuts } from "@/lib/keys";
import { useLater } from "@/lib/later";
import { useSteady } from "@/lib/steady";
import { useTitle } from "@/lib/title";
import { BottomPanel } from "./bottom-panel";
import { Conflict } from "./conflict";
import { Drawer } from "./drawer";
import { Palette } from "./palette";
import { Revisions } from "./revisions";
import { SaveDialog } from "./save-dialog";
import { type Kind, readKinds } from "./schema";
import { Toolbar } from "./toolbar";
import { useDraft } from "./use-draft";
import { useLooking } from "./use-looking";
import { draftOf, useSaving } from "./use-saving";
import { Views } from "./views";

// It comes when it is opened first.
const RunDialog = lazy(() =>
  import("@/components/run-dialog").then(({ RunDialog }) => ({ default: RunDialog })),
);
const route = getRouteApi("/app/pipelines/$pipeline");

export function EditorPage() {
  const { pipeline } = route.useParams();
  // Another pipeline is another editor, with nothing of the one before.
  return <Editor key={pipeline} id={pipeline} />;
}

function Editor({ id }: { id: string }) {
  const { data: detail } = useSuspenseQuery(pipelineQuery(id));
  const { data: catalogue } = useSuspenseQuery(catalogueQuery);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const to = useNavigate();
  const [edit, run] = [useMay("edit"), useMay("run")];
  const kinds = useMemo(() => readKinds(catalogue.blocks), [catalogue]);
  const editing = useDraft(detail.name, draftOf(detail), kinds);
  const saving = useSaving(detail, editing.draft, edit.allowed);
  const looking = useLooking(detail, editing.draft.text);
  const start = useBeginRun();
  const [isAsking, setAsking] = useState(false);
  const [isTelling, setTelling] = useState(false);
  const [goTo, setGoTo] = useState<{ line: number; column: number } | null>(null);
  const drawer = useRef<HTMLElement>(null);
  const hasCanvas = useLater();
  const hasText = useLater(hasCanvas);
  useTitle(detail.name);

  const put = (next: { [Key in keyof typeof search]?: (typeof search)[Key] | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const select = (block: string | null) => {
    if ((block ?? undefined) !== search.block) put({ block: block ?? undefined });
  };
  const selected = editing.graph.blocks.find((block) => block.id === search.block) ?? null;
  const add = useSteady((kind: Kind) => select(editing.add(kind, null, selected?.id ?? null)));
  /** Leaves the settings: the focus is where it came from. */
  const leave = () => {
    const there = selected && `[data-id="${CSS.escape(selected.id)}"][tabindex]`;
    select(null);
    if (there) document.querySelector<HTMLElement>(there)?.focus();
  };
  const open = () =>
    requestAnimationFrame(() =>
      drawer.current?.querySelector<HTMLElement>("input,textarea,[role=textbox],[role=combobox]")?.focus(),
    );
  const save = () => {
    if (!edit.allowed || !saving.isDirty) return;
    if (detail.status === "draft") void saving.save();
    else setAsking(true);
  };
  const isKept = async () => {
    if (saving.isDirty && detail.status !== "draft") {
      toast("info", "Save the changes first: a run goes by the newest revision.");
      setAsking(true);
      return false;
    }
    return !saving.isDirty || (await saving.save()) === "saved";
  };
  const begun = (item: Run) =>
    toast("success", `A run of ${detail.name} has begun.`, {
      label: "Open the run",
      run: () => void to({ to: "/runs/$run", params: { run: item.id } }),
    });
  const begin = async (until?: string) => {
    if (!run.allowed || !(await isKept())) return;
    start.mutate(
      { pipeline: id, ...(until && { until }) },
      {
        onSuccess: begun,
        onError: (error) => {
          if (error instanceof ApiProblem && error.field === "params") setTelling(true);
          else toast("danger", `It was not run: ${error.message}.`);
        },
      },
    );
  };
  const publish = async () => {
    if ((await saving.save({ status: "active", message: "Activated" })) === "saved")
      toast("success", `${detail.name} is active.`);
  };
  const go = (problem: FileProblem) => {
    put({ panel: "yaml", ...(problem.block && { block: problem.block }) });
    setGoTo({ line: problem.line, column: problem.column });
  };
  const preview = () => {
    put({ panel: "preview" });
    if (selected) looking.onPreview(selected.id, 50);
  };
  useShortcuts([
    { keys: "mod+s", label: "Save", run: save },
    { keys: "mod+Enter", label: "Run", run: () => void begin() },
    { keys: "r", label: "Run", run: () => void begin() },
    { keys: "p", label: "Preview to the chosen block", run: preview },
    { keys: "mod+z", label: "Undo", run: (event) => (event.shiftKey ? editing.redo() : editing.undo()) },
    { keys: "mod+y", label: "Redo", run: editing.redo },
  ]);

  return (
    <div className="flex h-[calc(100dvh-3.5rem)] min-h-120 flex-col overflow-hidden">
      <Toolbar
        detail={detail}
        editing={editing}
        saving={saving}
        edit={edit}
        run={run}
        isStarting={start.isPending}
        onSave={save}
        onPublish={() => void publish()}
        onRevisions={() => put({ revisions: true })}
        onRun={() => void begin()}
        onRunWith={() => void isKept().then((kept) => kept && setTelling(true))}
      />
      {!isAsking && (
        <Conflict
          detail={detail}
          saving={saving}
          onDifference={() => put({ revisions: true })}
          onTheirs={() => {
            editing.begin(draftOf(detail));
            saving.adopt(detail);
          }}
        />
      )}
      <div className="relative flex min-h-0 flex-1">
        {edit.allowed && <Palette kinds={kinds} onAdd={add} />}
        <div className="flex min-w-0 flex-1 flex-col">
          <ReactFlowProvider>
            <Views
              editing={editing}
              view={search.view ?? "canvas"}
              onView={(view) => put({ view })}
              selected={search.block ?? null}
              onSelect={select}
              onOpen={open}
              isReadOnly={!edit.allowed}
              isReady={hasCanvas}
            />
          </ReactFlowProvider>
          <BottomPanel
            editing={editing}
            looking={looking}
            panel={search.panel ?? "yaml"}
            onPanel={(panel) => put({ panel })}
            selected={search.block ?? null}
            onSelect={select}
            goTo={goTo}
            onGo={go}
            isReadOnly={!edit.allowed}
            isReady={hasText}
          />
        </div>
        {selected && (
          <Drawer
            ref={drawer}
            editing={editing}
            block={selected}
            isReadOnly={!edit.allowed}
            onSelect={select}
            onLeave={leave}
            onPreview={preview}
            onRunTo={run.allowed ? () => void begin(selected.id) : null}
          />
        )}
      </div>
      <Suspense>
        {isTelling && (
          <RunDialog pipeline={id} name={detail.name} onClose={() => setTelling(false)} onBegun={begun} />
        )}
      </Suspense>
      {isAsking && (
        <SaveDialog
          isActive={detail.is_active}
          isBusy={saving.isSaving}
          error={saving.error}
          onClose={() => setAsking(false)}
          onSave={(message) =>
            void saving.save({ message }).then((outcome) => outcome !== "refused" && setAsking(false))
          }
        />
      )}
      {search.revisions && (
        <Revisions
          detail={detail}
          edit={edit}
          isDirty={saving.isDirty}
          onClose={() => put({ revisions: undefined })}
          onRestored={(restored) => {
            editing.begin(draftOf(restored));
            saving.adopt(restored);
            put({ revisions: undefined });
            toast("success", `It is as it was; this is revision ${restored.revision}.`);
          }}
        />
      )}
    </div>
  );
}
