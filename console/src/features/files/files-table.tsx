// The folders and files of a folder as a table.
import { Download, Eye, FileText, Folder, Link2, Trash2 } from "lucide-react";
import { type StoredFile, useLinkFile } from "@/api/files";
import { ThingMenu, type Written } from "@/components/thing-menu";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { type Column, DataTable } from "@/components/ui/data-table";
import { MenuItem } from "@/components/ui/menu";
import { toast } from "@/components/ui/toast";
import { Bytes, Time } from "@/components/ui/values";
import { command } from "@/lib/command";
import { fetchFile } from "@/lib/save-file";
import { Maker } from "./maker";
import { isReadable } from "./names";

export type FileAct = "preview" | "link" | "delete";

type Row = { kind: "folder"; name: string } | { kind: "file"; name: string; file: StoredFile };

interface FilesTableProps {
  folder: string;
  folders: readonly string[];
  files: readonly StoredFile[];
  /** Whether they lie in any folder. */
  isSearch: boolean;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
  onGo: (folder: string) => void;
  onAct: (what: FileAct, file: StoredFile) => void;
  /** Why not; null where they may be deleted. */
  mayDelete: string | null;
}

/** As long as a browser needs to begin reading. */
const DOWNLOAD_SECONDS = 300;

export function FilesTable(props: FilesTableProps) {
  const { folder, folders, files, isSearch, sort, onSort, onGo, onAct, mayDelete } = props;
  const link = useLinkFile();
  const download = (file: StoredFile) =>
    link.mutate(
      { file: file.id, seconds: DOWNLOAD_SECONDS },
      {
        onSuccess: ({ url }) => fetchFile(url),
        onError: ({ message }) => toast("danger", `${file.name} could not be downloaded: ${message}`),
      },
    );
  const open = (row: Row) => {
    if (row.kind === "folder") onGo(folder === "" ? row.name : `${folder}/${row.name}`);
    else if (isReadable(row.name)) onAct("preview", row.file);
  };
  const rows: Row[] = [
    ...folders.map((name): Row => ({ kind: "folder", name })),
    ...files.map((file): Row => ({ kind: "file", name: file.name, file })),
  ];
  // Folders stand before files, whatever the order is.
  const first = (row: Row) => ((row.kind === "folder") !== (sort?.startsWith("-") ?? false) ? "0" : "1");
  const columns: readonly Column<Row>[] = [
    {
      id: "name",
      header: "Name",
      sortBy: (row) => `${first(row)} ${row.name}`,
      cell: (row) => {
        const Icon = row.kind === "folder" ? Folder : FileText;
        return (
          <span className="flex min-w-0 items-center gap-2.5">
            <Icon
              aria-hidden
              className={row.kind === "folder" ? "size-4.5 text-link" : "size-4.5 text-muted-foreground"}
            />
            {row.kind === "folder" || isReadable(row.name) ? (
              <button
                type="button"
                onClick={() => open(row)}
                className="min-h-6 truncate text-left font-medium hover:underline"
              >
                {row.name}
              </button>
            ) : (
              <span className="truncate font-medium">{row.name}</span>
            )}
            {row.kind === "file" && row.file.sha256 === null && (
              <Badge>
                <Maker file={row.file} />
              </Badge>
            )}
            {isSearch && row.kind === "file" && row.file.folder !== "" && (
              <button
                type="button"
                onClick={() => onGo(row.file.folder)}
                className="min-h-6 truncate text-xs text-link hover:underline"
              >
                {row.file.folder}
              </button>
            )}
          </span>
        );
      },
    },
    {
      id: "size",
      header: "Size",
      align: "right",
      sortBy: (row) => (row.kind === "file" ? row.file.size : -1),
      cell: (row) => row.kind === "file" && <Bytes value={row.file.size} />,
    },
    {
      id: "created",
      header: "Written",
      className: "max-sm:hidden",
      sortBy: (row) => (row.kind === "file" ? row.file.created_at : ""),
      cell: (row) => row.kind === "file" && <Time at={row.file.created_at} />,
    },
    {
      id: "acts",
      header: "",
      align: "right",
      className: "w-36",
      cell: (row) =>
        row.kind === "file" && (
          <span className="flex justify-end gap-1">
            {isReadable(row.name) && (
              <Button
                variant="ghost"
                size="icon"
                aria-label={`Preview ${row.name}`}
                onClick={() => onAct("preview", row.file)}
              >
                <Eye aria-hidden />
              </Button>
            )}
            <Button
              variant="ghost"
              size="icon"
              aria-label={`Download ${row.name}`}
              onClick={() => download(row.file)}
            >
              <Download aria-hidden />
            </Button>
            <ThingMenu name={row.name} written={written(row.file)}>
              <MenuItem icon={Link2} onSelect={() => onAct("link", row.file)}>
                Get a link
              </MenuItem>
              <MenuItem
                icon={Trash2}
                isDangerous
                refusal={mayDelete}
                onSelect={() => onAct("delete", row.file)}
              >
                Delete
              </MenuItem>
            </ThingMenu>
          </span>
        ),
    },
  ];
  return (
    <DataTable
      label="Files"
      rows={rows}
      columns={columns}
      rowId={(row) => (row.kind === "folder" ? `folder ${row.name}` : row.file.id)}
      sort={sort}
      onSort={onSort}
      onOpen={open}
    />
  );
}

/** How a file is written elsewhere. */
function written({ id, folder, name }: StoredFile): Written {
  const path = folder === "" ? name : `${folder}/${name}`;
  return {
    id,
    yaml: () => `blocks:\n  rows: {extract: ${JSON.stringify(`files/${path}`)}}\n`,
    about: "A pipeline file that reads it.",
    command: command("flowetl", "file", "download", path),
    call: { method: "GET", path: `/files/${id}/content`, output: name },
  };
}
