// A sign for each kind of block, and of what stands in the lineage; kinds that are not known here have a general one.
import {
  Box,
  BrainCircuit,
  Braces,
  Code,
  Database,
  DatabaseZap,
  Download,
  File,
  FileInput,
  FileCode2,
  FlaskConical,
  type LucideIcon,
  Sparkles,
  Table2,
  Upload,
  Workflow,
} from "lucide-react";

const ICONS: Record<string, LucideIcon> = {
  extract: Download,
  files: FileInput,
  sql: Database,
  in_database: DatabaseZap,
  python: Code,
  test: FlaskConical,
  train: BrainCircuit,
  predict: Sparkles,
  load: Upload,
  api: Braces,
  pipeline: Workflow,
  transformation: FileCode2,
  table: Table2,
  file: File,
};

export function KindIcon({ kind, className }: { kind: string | null | undefined; className?: string }) {
  const Icon = ICONS[kind ?? ""] ?? Box;
  return <Icon aria-hidden className={className} />;
}
