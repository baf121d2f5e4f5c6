// Files that people brought and pipelines wrote.
import { Page } from "@/components/page";
import { FilesTab } from "./files-tab";

export function FilesPage() {
  return (
    <Page
      title="Files"
      lead="What was uploaded, and what pipelines have written through the connection files."
    >
      <FilesTab />
    </Page>
  );
}
