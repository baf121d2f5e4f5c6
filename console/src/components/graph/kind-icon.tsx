// A sign for each kind of block; kinds that are not known here have a general one.
import {
  Box,
  BrainCircuit,
  Braces,
  Code,
  Database,
  DatabaseZap,
  Download,
  FileInput,
  FlaskConical,
  type LucideIcon,
  Sparkles,
  Upload,
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
};

export function KindIcon({ kind, className }: { kind: string | null | undefined; className?: string }) {
  const Icon = ICONS[kind ?? ""] ?? Box;
  return <Icon aria-hidden className={className} />;
}
