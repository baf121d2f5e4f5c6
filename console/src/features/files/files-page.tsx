// Files that people brought, and for who runs the installation, copies of its database.
import { getRouteApi } from "@tanstack/react-router";
import { useMe } from "@/api/me";
import { Page } from "@/components/page";
import { Tabs } from "@/components/ui/tabs";
import { BackupsTab } from "./backups-tab";
import { FilesTab } from "./files-tab";

const route = getRouteApi("/app/files");

export function FilesPage() {
  const { tab = "files" } = route.useSearch();
  const navigate = route.useNavigate();
  const { super_admin: isAdmin } = useMe();
  return (
    <Page title="Files" lead="What was uploaded: pipelines read it through the connection files.">
      {isAdmin ? (
        <Tabs
          label="Files"
          value={tab}
          onChange={(tab) => void navigate({ search: { tab }, replace: true })}
          tabs={[
            { value: "files", label: "Files", content: tab === "files" && <FilesTab /> },
            { value: "backups", label: "Backups", content: tab === "backups" && <BackupsTab /> },
          ]}
        />
      ) : (
        <FilesTab />
      )}
    </Page>
  );
}
