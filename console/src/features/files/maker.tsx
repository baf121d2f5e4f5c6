// Which pipeline has written a file: a link to the run, where that is known.
import { Link } from "@tanstack/react-router";
import type { StoredFile } from "@/api/files";

/** "by orders", or "by a pipeline". */
export function Maker({ file: { written_by: by } }: { file: StoredFile }) {
  if (!by) return <span>by a pipeline</span>;
  return (
    <Link
      to="/runs/$run"
      params={{ run: by.run_id }}
      className="inline-flex min-h-6 items-center text-link hover:underline"
    >
      by {by.pipeline}
    </Link>
  );
}
