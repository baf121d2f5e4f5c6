// Files that people brought.
import { Page } from "@/components/page";
import { FilesTab } from "./files-tab";

export function FilesPage() {
  return (
    <Page title="Files" lead="What was uploaded: pipelines read it through the connection files.">
      <FilesTab />
    </Page>
  );
}
