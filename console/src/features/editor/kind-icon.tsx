// A sign for each kind of block; those that are not known here have a general one.
import {
  Box,
  Brain,
  Code,
  Database,
  Download,
  FileInput,
  FlaskConical,
  type LucideIcon,
  Sparkles,
  Table2,
  Upload,
} from "lucide-react";

const ICONS: Record<string, LucideIcon> = {
  extract: Download,
  files: FileInput,
  sql: Table2,
  in_database: Database,
  python: Code,
  test: FlaskConical,
  train: Brain,
  predict: Sparkles,
  load: Upload,
};

export function KindIcon({ kind, className }: { kind: string | undefined; className?: string }) {
  const Icon = ICONS[kind ?? ""] ?? Box;
  return <Icon aria-hidden className={className} />;
}
