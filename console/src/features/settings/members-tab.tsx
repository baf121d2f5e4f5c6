// Who belongs to the organization, who is invited, and what the roles may do.
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { UserMinus, UserPlus, X } from "lucide-react";
import { useState } from "react";
import { ROLE_NAMES, useMay, useMe, useOrganization } from "@/api/me";
import { invitationsQuery, membersQuery, useChangeRole, useRemoveMember, useUninvite } from "@/api/members";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Section } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, DataTable } from "@/components/ui/data-table";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { Time } from "@/components/ui/values";
import { InviteDialog } from "./invite-dialog";
import { ROLES, RolesTable } from "./roles";

type Member = Schemas["Member"];

export function MembersTab() {
  const { id } = useOrganization();
  const { data: members } = useSuspenseQuery(membersQuery(id));
  const me = useMe();
  const may = useMay("invite");
  const changeRole = useChangeRole();
  const [removed, setRemoved] = useState<Member | null>(null);
  const [isInviting, setInviting] = useState(false);

  const columns: readonly Column<Member>[] = [
    {
      id: "name",
      header: "Name",
      sortBy: ({ name }) => name,
      cell: (member) => (
        <span className="font-medium">
          {member.name} {member.person === me.id && <Badge className="ml-1">You</Badge>}
        </span>
      ),
    },
    { id: "email", header: "E-mail", cell: ({ email }) => email },
    {
      id: "role",
      header: "Role",
      cell: ({ person, role, name }) =>
        may.allowed && role !== "owner" ? (
          <Select
            label={`Role of ${name}`}
            value={role}
            choices={ROLES.filter(({ value }) => value !== "owner")}
            onChange={(role) => changeRole.mutate({ person, role })}
          />
        ) : (
          <Badge tone={role === "owner" ? "accent" : "neutral"}>{ROLE_NAMES[role]}</Badge>
        ),
    },
    { id: "since", header: "Since", cell: ({ since }) => <Time at={since} /> },
    { id: "seen", header: "Last seen", cell: ({ last_seen_at }) => <Time at={last_seen_at} /> },
    {
      id: "acts",
      header: "",
      align: "right",
      cell: (member) =>
        may.allowed &&
        member.role !== "owner" &&
        member.person !== me.id && (
          <Button
            variant="ghost"
            size="icon"
            aria-label={`Remove ${member.name}`}
            onClick={() => setRemoved(member)}
          >
            <UserMinus aria-hidden />
          </Button>
        ),
    },
  ];
  return (
    <div className="flex flex-col gap-8">
      <Section
        title={`Members (${members.length})`}
        aside={
          <Button variant="primary" refusal={may.reason} onClick={() => setInviting(true)}>
            <UserPlus aria-hidden /> Invite
          </Button>
        }
      >
        <ProblemAlert title="The role stays as it was." error={changeRole.error} />
        <DataTable label="Members" rows={members} columns={columns} rowId={({ person }) => person} />
      </Section>
      {may.allowed && <Invitations organization={id} />}
      <Section title="What roles may do">
        <RolesTable />
      </Section>
      {isInviting && <InviteDialog onClose={() => setInviting(false)} />}
      {removed && <RemoveDialog member={removed} onClose={() => setRemoved(null)} />}
    </div>
  );
}

function Invitations({ organization }: { organization: string }) {
  const { data: invitations = [] } = useQuery(invitationsQuery(organization));
  const uninvite = useUninvite();
  if (invitations.length === 0) return null;
  const columns: readonly Column<Schemas["Invitation"]>[] = [
    { id: "email", header: "E-mail", cell: ({ email }) => <span className="font-medium">{email}</span> },
    { id: "role", header: "Role", cell: ({ role }) => <Badge>{ROLE_NAMES[role]}</Badge> },
    { id: "until", header: "Until", cell: ({ expires_at }) => <Time at={expires_at} /> },
    {
      id: "acts",
      header: "",
      align: "right",
      cell: ({ id, email }) => (
        <Button
          variant="ghost"
          size="icon"
          aria-label={`Take back the invitation of ${email}`}
          onClick={() => uninvite.mutate(id)}
        >
          <X aria-hidden />
        </Button>
      ),
    },
  ];
  return (
    <Section title={`Invited (${invitations.length})`}>
      <ProblemAlert title="The invitation still counts." error={uninvite.error} />
      <DataTable label="Invitations" rows={invitations} columns={columns} rowId={({ id }) => id} />
    </Section>
  );
}

function RemoveDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const remove = useRemoveMember();
  const onSuccess = () => {
    toast("success", `${member.name} does not belong to the organization any more.`);
    onClose();
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Remove ${member.name}?`}
      action="Remove"
      onConfirm={() => remove.mutate(member.person, { onSuccess })}
      isBusy={remove.isPending}
      error={<ProblemAlert title={`${member.name} stays.`} error={remove.error} />}
    >
      <p>
        {member.email} loses access at once, and so do their API keys here. What they made stays: it belongs
        to the organization.
      </p>
    </ConfirmDialog>
  );
}
