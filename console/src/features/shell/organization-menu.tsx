// Which organization the pages are about, and the way to another.
import { useRouter } from "@tanstack/react-router";
import { Building2, ChevronsUpDown } from "lucide-react";
import { ROLE_NAMES, switchOrganization, useMe, useMembership } from "@/api/me";
import { Menu, MenuChoice, MenuLabel } from "@/components/ui/menu";

export function OrganizationMenu() {
  const me = useMe();
  const membership = useMembership();
  const router = useRouter();
  const name = membership?.organization.name ?? "No organization";
  const trigger = (
    <button
      type="button"
      aria-label={`Organization: ${name}`}
      className="flex h-9 max-w-56 min-w-0 items-center sm:max-w-40 sm:shrink-0 lg:max-w-56 xl:max-w-72 2xl:max-w-96 gap-2 rounded-lg px-2 font-medium hover:bg-muted"
    >
      <Building2 aria-hidden className="size-4 shrink-0 text-link" />
      <span className="truncate">{name}</span>
      <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-muted-foreground" />
    </button>
  );
  const choices = me.memberships.map(({ organization, role }) => ({
    value: organization.id,
    label: `${organization.name} · ${ROLE_NAMES[role]}`,
  }));
  return (
    <Menu trigger={trigger} align="start">
      <MenuLabel>Organizations</MenuLabel>
      <MenuChoice
        label="Organizations"
        value={membership?.organization.id ?? ""}
        choices={choices}
        onChange={(id) => {
          switchOrganization(id);
          // What the address is about belongs to the organization that was left.
          void router.navigate({ to: "/" }).then(() => router.invalidate());
        }}
      />
    </Menu>
  );
}
