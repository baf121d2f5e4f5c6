// The file of a pipeline that begins at a table.
import { Document } from "yaml";

interface Wish {
  name: string;
  /** As pipelines name the table. */
  from: string;
  /** As pipelines name where it goes; empty while that is not said. */
  to: string;
}

export function pipelineText({ name, from, to }: Wish): string {
  if (to !== "") return new Document({ name, from, to }).toString({ lineWidth: 0 });
  return new Document({ name, blocks: { [blockName(name)]: { extract: from } } }).toString({ lineWidth: 0 });
}

/** Blocks are named as columns are. */
export function blockName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d)/, "_") || "rows";
}
