// What was said of a run: which lines are shown, and what can be done with them.
import { useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ArrowDownToLine, Download, WrapText } from "lucide-react";
import { useState } from "react";
import { isUnderWay } from "@/api/run-live";
import { logText } from "@/api/run-logs";
import type { RunDetail } from "@/api/runs";
import { Button } from "@/components/ui/button";
import { SearchInput } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { saveFile } from "@/lib/save-file";
import { LogView } from "./log-view";

const route = getRouteApi("/app/runs/$run");

const LEVELS = [
  { value: "debug", label: "Everything" },
  { value: "", label: "Info and above" },
  { value: "warn", label: "Warnings and errors" },
  { value: "error", label: "Errors only" },
] as const;

export function RunLogs({ run }: { run: RunDetail }) {
  const { block, level, q } = route.useSearch();
  const navigate = route.useNavigate();
  const [isFollowing, setFollowing] = useState(() => isUnderWay(run));
  const [wraps, setWraps] = useState(true);
  const filter = { block, level, search: q };
  const change = (part: { block?: string | undefined; level?: typeof level; q?: string | undefined }) =>
    void navigate({ search: (before) => ({ ...before, line: undefined, ...part }), replace: true });
  const download = useMutation({
    mutationFn: () => logText(run.id, filter),
    onSuccess: (text) => saveFile(`${run.pipeline}-${run.id}.log`, text, "text/plain"),
    onError: (error) => toast("danger", `The log could not be downloaded: ${error.message}.`),
  });
  const blocks = [
    { value: "", label: "All blocks" },
    ...Object.keys(run.view.blocks).map((id) => ({ value: id, label: id })),
  ];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <SearchInput
          label="Search the log"
          className="w-full sm:w-72"
          value={q ?? ""}
          onChange={(text) => change({ q: text || undefined })}
        />
        <Select
          label="Block"
          value={block ?? ""}
          choices={blocks}
          onChange={(block) => change({ block: block || undefined })}
        />
        <Select
          label="Level"
          value={level ?? ""}
          choices={LEVELS}
          onChange={(level) => change({ level: level || undefined })}
        />
        <span className="ml-auto flex gap-2">
          <Button aria-pressed={wraps} onClick={() => setWraps(!wraps)}>
            <WrapText aria-hidden /> {wraps ? "Do not wrap" : "Wrap"}
          </Button>
          <Button
            aria-pressed={isFollowing}
            variant={isFollowing && isUnderWay(run) ? "primary" : "secondary"}
            onClick={() => setFollowing(!isFollowing)}
          >
            <ArrowDownToLine aria-hidden /> Follow
          </Button>
          <Button isBusy={download.isPending} onClick={() => download.mutate()}>
            <Download aria-hidden /> Download
          </Button>
        </span>
      </div>
      <LogView
        key={`${run.id} ${block} ${level} ${q}`}
        run={run}
        filter={filter}
        wraps={wraps}
        isFollowing={isFollowing}
        onFollow={setFollowing}
      />
    </div>
  );
}
