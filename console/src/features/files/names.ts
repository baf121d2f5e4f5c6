// What the names of files tell.

const READABLE = /\.(parquet|csv|tsv|json|jsonl|ndjson)(\.gz|\.zst)?$/i;

/** Whether rows of it can be shown. */
export function isReadable(name: string): boolean {
  return READABLE.test(name);
}

/** As pipelines name it: `files/raw/orders.csv`. */
export function referenceOf({ folder, name }: { folder: string; name: string }): string {
  return ["files", folder, name].filter((part) => part !== "").join("/");
}
