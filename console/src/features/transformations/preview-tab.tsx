// The first rows that the SQL gives, as it is typed, saved or not; nothing is made to see them.
import { useMutation } from "@tanstack/react-query";
import { Eye } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/api/me";
import { type Transformation, transformationRows } from "@/api/transformations";
import { ParamsFields, useParams } from "@/components/params-fields";
import { ProblemAlert } from "@/components/problem-state";
import { RowsTable } from "@/components/rows-table";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/states";
import { useShortcuts } from "@/lib/keys";

export function PreviewTab({ transformation }: { transformation: Transformation }) {
  const { id, name, sql_body } = transformation;
  const may = useMay("edit");
  const params = useParams({ type: "transformation", id });
  const [isTried, setTried] = useState(false);
  const look = useMutation({ mutationFn: transformationRows });
  const preview = () => {
    setTried(true);
    if (params.isWrong || !may.allowed || look.isPending) return;
    look.mutate({ id, sql_body, params: params.values ?? {} });
  };
  useShortcuts([{ keys: "mod+enter", label: "Preview the rows", run: preview }]);
  return (
    <div className="flex flex-col gap-4">
      <ParamsFields params={params} isTried={isTried} />
      <div className="flex flex-wrap items-center gap-3">
        <Button
          variant="primary"
          refusal={may.reason}
          isBusy={look.isPending}
          onClick={preview}
          aria-keyshortcuts="Control+Enter"
        >
          {!look.isPending && <Eye aria-hidden />} Preview
        </Button>
        <span className="text-muted-foreground">
          Reads what it refers to as that is now, and shows the first rows. Nothing is written.
        </span>
      </div>
      <ProblemAlert title={`The rows of ${name} could not be shown.`} error={look.error} />
      {look.isPending && <Skeleton className="h-64 rounded-xl" />}
      {look.data && <RowsTable rows={look.data} label={`Rows of ${name}`} />}
    </div>
  );
}
