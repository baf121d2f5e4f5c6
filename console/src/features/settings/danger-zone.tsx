// Leaving the organization, handing it over, and deleting it.
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { dashboardQuery } from "@/api/dashboard";
import { useMay, useMe, useMembership, useOrganization } from "@/api/me";
import { membersQuery, useTransfer } from "@/api/members";
import { useDeleteOrganization, useLeaveOrganization } from "@/api/organizations";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Card, Section } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { plural } from "@/lib/format";

export function DangerZone() {
  const isOwner = useMembership()?.role === "owner";
  const may = useMay("change organization");
  const mayHandOver = useMay("hand over");
  const [open, setOpen] = useState<"leave" | "transfer" | "delete" | null>(null);
  const rows = [
    [
      "leave",
      "Leave",
      "You see it no more until somebody invites you again.",
      isOwner ? "An owner hands it over first." : null,
    ],
    ["transfer", "Hand over", "Another member owns it then; you stay as an admin.", mayHandOver.reason],
    ["delete", "Delete", "All that belongs to it is gone, for everybody and for ever.", may.reason],
  ] as const;
  const close = () => setOpen(null);
  return (
    <Section title="Danger zone">
      <Card className="border-danger/50">
        {rows.map(([what, label, words, refusal]) => (
          <div
            key={what}
            className="flex items-center justify-between gap-4 border-b border-border p-5 last:border-0"
          >
            <p>
              <span className="block font-medium">{label}</span>
              <span className="text-muted-foreground">{words}</span>
            </p>
            <Button
              variant={what === "delete" ? "danger" : "secondary"}
              refusal={refusal}
              onClick={() => setOpen(what)}
            >
              {label}
            </Button>
          </div>
        ))}
      </Card>
      {open === "leave" && <LeaveDialog onClose={close} />}
      {open === "transfer" && <TransferDialog onClose={close} />}
      {open === "delete" && <DeleteDialog onClose={close} />}
    </Section>
  );
}

/** To what is left, once one is out of an organization. */
function useGoOn(said: string): () => void {
  const router = useRouter();
  return () => {
    toast("success", said);
    void router.navigate({ to: "/" });
  };
}

function LeaveDialog({ onClose }: { onClose: () => void }) {
  const { name } = useOrganization();
  const leave = useLeaveOrganization();
  const goOn = useGoOn(`You left ${name}.`);
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Leave ${name}?`}
      action="Leave"
      onConfirm={() => leave.mutate(undefined, { onSuccess: goOn })}
      isBusy={leave.isPending}
      error={<ProblemAlert title={`You are still in ${name}.`} error={leave.error} />}
    >
      <p>Your API keys here do not count any more. What you made stays.</p>
    </ConfirmDialog>
  );
}

function TransferDialog({ onClose }: { onClose: () => void }) {
  const { id, name } = useOrganization();
  const me = useMe();
  const { data: members = [] } = useQuery(membersQuery(id));
  const transfer = useTransfer();
  const others = members.filter(({ person }) => person !== me.id);
  const [heir, setHeir] = useState("");
  const chosen = heir || (others[0]?.person ?? "");
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Hand ${name} over?`}
      action="Hand over"
      onConfirm={() => transfer.mutate(chosen, { onSuccess: onClose })}
      isBusy={transfer.isPending}
      error={<ProblemAlert title={`${name} is still yours.`} error={transfer.error} />}
    >
      <p>Whoever owns it may do everything, and take it from you.</p>
      {others.length === 0 ? (
        <p>There is nobody else: invite somebody first.</p>
      ) : (
        <Select
          label="New owner"
          value={chosen}
          onChange={setHeir}
          choices={others.map(({ person, name, email }) => ({ value: person, label: `${name} (${email})` }))}
        />
      )}
    </ConfirmDialog>
  );
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const { name, slug } = useOrganization();
  const { data } = useQuery(dashboardQuery);
  const remove = useDeleteOrganization();
  const goOn = useGoOn(`${name} was deleted.`);
  const totals = data?.totals;
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete ${name}?`}
      action="Delete for ever"
      mustType={slug}
      onConfirm={() => remove.mutate(undefined, { onSuccess: goOn })}
      isBusy={remove.isPending}
      error={<ProblemAlert title={`${name} stays.`} error={remove.error} />}
    >
      <p>
        {totals &&
          `${plural(totals.pipelines, "pipeline")}, ${plural(totals.connections, "connection")} with their secrets, ${plural(totals.schedules, "schedule")}, `}
        all runs, the audit log and every table in its schemas of the built-in warehouse are gone then, for
        everybody. Nobody can bring them back.
      </p>
    </ConfirmDialog>
  );
}
