// The pages: where they are, what they are called, and the keys that go there. A page that is not built is not here.
import {
  Activity,
  Cable,
  CalendarClock,
  FileCode2,
  Files,
  LayoutDashboard,
  type LucideIcon,
  Server,
  Settings,
  Share2,
  TableProperties,
  Workflow,
} from "lucide-react";

export interface NavItem {
  to: string;
  label: string;
  icon: LucideIcon;
  /** The chord that goes there. */
  keys: string;
  /** Other words that the palette finds it by. */
  words: string;
}

export const NAV: readonly NavItem[] = [
  { to: "/", label: "Dashboard", icon: LayoutDashboard, keys: "g h", words: "home overview start" },
  {
    to: "/connections",
    label: "Connections",
    icon: Cable,
    keys: "g c",
    words: "sources databases credentials",
  },
  { to: "/pipelines", label: "Pipelines", icon: Workflow, keys: "g p", words: "etl flows editor canvas" },
  {
    to: "/transformations",
    label: "Transformations",
    icon: FileCode2,
    keys: "g t",
    words: "sql models views tables tests dbt",
  },
  { to: "/runs", label: "Runs", icon: Activity, keys: "g r", words: "executions jobs history logs" },
  {
    to: "/schedules",
    label: "Schedules",
    icon: CalendarClock,
    keys: "g s",
    words: "cron times calendar triggers webhooks upstream",
  },
  {
    to: "/dag",
    label: "Lineage",
    icon: Share2,
    keys: "g d",
    words: "dag graph dependencies upstream downstream impact",
  },
  {
    to: "/explorer",
    label: "Explorer",
    icon: TableProperties,
    keys: "g x",
    words: "schemas tables columns data preview drift",
  },
  { to: "/files", label: "Files", icon: Files, keys: "g f", words: "uploads folders csv parquet" },
  { to: "/executors", label: "Executors", icon: Server, keys: "g e", words: "cluster workers nodes slots" },
  {
    to: "/settings",
    label: "Settings",
    icon: Settings,
    keys: "g ,",
    words:
      "members roles api keys webhooks alerts vault audit log profile password organization backups version instance",
  },
];
