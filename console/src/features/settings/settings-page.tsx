// The person, and what belongs to the organization as a whole.
import { getRouteApi } from "@tanstack/react-router";
import { type ReactNode, Suspense } from "react";
import { useMay, useMe } from "@/api/me";
import { Page } from "@/components/page";
import { Alert } from "@/components/ui/alert";
import { Skeleton, SkeletonPage } from "@/components/ui/states";
import { Tabs } from "@/components/ui/tabs";
import { AlertsTab } from "./alerts-tab";
import { AuditTab } from "./audit-tab";
import { InstanceTab } from "./instance-tab";
import { KeysTab } from "./keys-tab";
import { MembersTab } from "./members-tab";
import { OrganizationTab } from "./organization-tab";
import { ProfileTab } from "./profile-tab";
import { VaultTab } from "./vault-tab";

const route = getRouteApi("/app/settings");

export function SettingsPage() {
  const { tab = "profile" } = route.useSearch();
  const navigate = route.useNavigate();
  const maySee = useMay("see audit log");
  const mayHaveKeys = useMay("have keys");
  const { super_admin: isSuperAdmin } = useMe();
  const shown = (value: typeof tab, label: string, content: ReactNode) => ({
    value,
    label,
    content: value === tab && <Suspense fallback={<Waiting />}>{content}</Suspense>,
  });
  const tabs = [
    shown("profile", "Profile", <ProfileTab />),
    shown("members", "Members", <MembersTab />),
    shown(
      "keys",
      "API keys",
      mayHaveKeys.allowed ? <KeysTab /> : <Alert kind="info">{mayHaveKeys.reason}</Alert>,
    ),
    shown("alerts", "Alerts", <AlertsTab />),
    shown("vault", "Vault", <VaultTab />),
    shown("audit", "Audit log", maySee.allowed ? <AuditTab /> : <Alert kind="info">{maySee.reason}</Alert>),
    shown("organization", "Organization", <OrganizationTab />),
    ...(isSuperAdmin ? [shown("instance", "Instance", <InstanceTab />)] : []),
  ];
  return (
    <Page title="Settings">
      <Tabs
        label="Settings"
        value={tab}
        onChange={(tab) => void navigate({ search: { tab }, replace: true })}
        tabs={tabs}
      />
    </Page>
  );
}

function Waiting() {
  return (
    <SkeletonPage label="Loading">
      <Skeleton className="h-9 w-64" />
      <Skeleton className="h-48 rounded-xl" />
    </SkeletonPage>
  );
}
