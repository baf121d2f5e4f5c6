// A picture for each kind of system; one for those that are not known here.
import { Cloud, Database, DatabaseZap, Folder, HardDrive, type LucideIcon, Server } from "lucide-react";

const ICONS: Record<string, LucideIcon> = {
  postgres: Database,
  postgresql: Database,
  mysql: DatabaseZap,
  sqlite: HardDrive,
  file: Folder,
  s3: Cloud,
};

export function TypeIcon({ type, className }: { type: string; className?: string }) {
  const Icon = ICONS[type] ?? Server;
  return <Icon aria-hidden className={className} />;
}
