// `/files`: which folder, what is searched, and which file is looked at stand in the address.
import { createRoute } from "@tanstack/react-router";
import { TablePending } from "@/components/pending";
import { listSearch, textParam } from "@/lib/url";
import { z } from "@/lib/z";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.extend(listSearch, {
  /** `raw/2026`; left out for what lies in none. */
  folder: textParam,
  /** The id of the file whose rows are seen. */
  file: textParam,
});

export const filesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/files",
  validateSearch: search,
  component: lazyPage(() => import("@/features/files/files-page"), "FilesPage"),
  pendingComponent: TablePending,
});
