// Folders and files: found, brought by hand or dropped, looked at, linked to, deleted.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { FileUp, Files, FolderPlus, Upload } from "lucide-react";
import { type DragEvent, useDeferredValue, useRef, useState } from "react";
import { filesQuery, type StoredFile } from "@/api/files";
import { useMay } from "@/api/me";
import { upload } from "@/api/uploads";
import { ProblemState } from "@/components/problem-state";
import { ShowMore } from "@/components/show-more";
import { Button } from "@/components/ui/button";
import { SearchInput } from "@/components/ui/input";
import { EmptyState, Skeleton, SkeletonPage } from "@/components/ui/states";
import { cn } from "@/lib/cn";
import { useShortcuts } from "@/lib/keys";
import { DeleteFileDialog } from "./delete-file-dialog";
import { FilesTable, type FileAct } from "./files-table";
import { FolderDialog } from "./folder-dialog";
import { FolderPath } from "./folder-path";
import { LinkDialog } from "./link-dialog";
import { PreviewDialog } from "./preview-dialog";
import { Uploads } from "./uploads";

const route = getRouteApi("/app/files");

export function FilesTab() {
  const { q = "", folder = "", sort, file: shown } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("edit");
  const mayDelete = useMay("delete");
  const search = useDeferredValue(q.trim());
  const list = useInfiniteQuery(filesQuery(folder, search));
  const [open, setOpen] = useState<{ what: "link" | "delete"; file: StoredFile } | "folder" | null>(null);
  const [isOver, setOver] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const finder = useRef<HTMLInputElement>(null);
  const choose = () => chooser.current?.click();
  useShortcuts([
    { keys: "/", label: "Search files", run: () => finder.current?.focus() },
    ...(may.allowed ? [{ keys: "n", label: "Upload files", run: choose }] : []),
  ]);

  const files = list.data?.pages.flatMap((page) => page.files) ?? [];
  const folders = search === "" ? (list.data?.pages[0]?.folders ?? []) : [];
  const previewed = files.find(({ id }) => id === shown);
  const put = (wish: { q?: string | undefined; sort?: string | undefined; file?: string | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...wish }), replace: true });
  const go = (folder: string) => void navigate({ search: folder === "" ? {} : { folder } });
  const act = (what: FileAct, file: StoredFile) => {
    if (what === "preview") put({ file: file.id });
    else setOpen({ what, file });
  };
  const take = (found: FileList | null) => {
    if (found && found.length > 0 && may.allowed) upload(found, folder);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  // Then the button stands where the files would.
  const isEmpty = list.data !== undefined && files.length + folders.length === 0 && search === "";
  const uploadButton = (
    <Button variant="primary" refusal={may.reason} onClick={choose}>
      <Upload aria-hidden /> Upload files
    </Button>
  );
  return (
    // By the keyboard files are chosen with the button.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => event.currentTarget.contains(asNode(event.relatedTarget)) || setOver(false)}
      onDrop={onDrop}
      className={cn(
        "relative flex flex-col gap-4",
        isOver && "rounded-xl outline-2 outline-offset-8 outline-ring outline-dashed",
      )}
    >
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={(event) => {
          take(event.target.files);
          event.target.value = "";
        }}
      />
      <div className="flex flex-wrap items-center gap-3">
        <FolderPath folder={folder} onGo={go} />
        <SearchInput
          ref={finder}
          label="Search files"
          value={q}
          onChange={(text) => put({ q: text || undefined })}
          className="w-full sm:ml-auto sm:w-64"
        />
        <Button refusal={may.reason} onClick={() => setOpen("folder")}>
          <FolderPlus aria-hidden /> New folder
        </Button>
        {!isEmpty && uploadButton}
      </div>
      <Uploads />
      {list.isError && !list.data ? (
        <ProblemState
          title="The files could not be loaded."
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      ) : list.isPending ? (
        <SkeletonPage label="Loading">
          <Skeleton className="h-64 rounded-xl" />
        </SkeletonPage>
      ) : files.length + folders.length === 0 ? (
        <EmptyState
          icon={search === "" ? FileUp : Files}
          title={
            search !== ""
              ? "No file has this in its name."
              : folder === ""
                ? "Drop files here, or choose them, for pipelines to read."
                : `${folder} is empty: it is there once a file lies in it. Drop files here.`
          }
          link={search === "" && <Link to="/connections">Connect where they lie already</Link>}
          action={
            search === "" ? uploadButton : <Button onClick={() => put({ q: undefined })}>Clear search</Button>
          }
        />
      ) : (
        <FilesTable
          folder={folder}
          folders={folders}
          files={files}
          isSearch={search !== ""}
          sort={sort}
          onSort={(sort) => put({ sort })}
          onGo={go}
          onAct={act}
          mayDelete={mayDelete.reason}
        />
      )}
      <ShowMore pages={list} />
      {isOver && (
        <p className="pointer-events-none fixed inset-x-0 bottom-8 z-40 mx-auto w-fit rounded-full bg-primary px-5 py-2.5 font-medium text-white shadow-xl">
          Drop to upload{folder !== "" && ` into ${folder}`}
        </p>
      )}
      {previewed && <PreviewDialog file={previewed} onClose={() => put({ file: undefined })} />}
      {open === "folder" && <FolderDialog folder={folder} onGo={go} onClose={() => setOpen(null)} />}
      {open !== null && open !== "folder" && open.what === "link" && (
        <LinkDialog file={open.file} onClose={() => setOpen(null)} />
      )}
      {open !== null && open !== "folder" && open.what === "delete" && (
        <DeleteFileDialog file={open.file} onClose={() => setOpen(null)} />
      )}
    </div>
  );
}

function asNode(target: EventTarget | null): Node | null {
  return target instanceof Node ? target : null;
}
