// What surrounds every page of who is signed in: sidebar, header, palette, help, shortcuts.
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Keyboard, LockOpen, Moon, Plus, Sun } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useLive } from "@/api/live";
import { useMembership } from "@/api/me";
import { EmptyState } from "@/components/ui/states";
import { useShortcuts } from "@/lib/keys";
import { setTheme, useIsDark } from "@/lib/theme";
import { Building2 } from "lucide-react";
import { Header } from "./header";
import { NAV } from "./nav";
import type { Entry } from "./palette";
import { Sidebar } from "./sidebar";

// They come when they are opened first.
const Palette = lazy(() => import("./palette").then(({ Palette }) => ({ default: Palette })));
const HelpDialog = lazy(() => import("./help-dialog").then(({ HelpDialog }) => ({ default: HelpDialog })));

type Open = "menu" | "palette" | "help" | null;

export function Shell() {
  useLive();
  const [open, setOpen] = useState<Open>(null);
  const navigate = useNavigate();
  const membership = useMembership();
  const isDark = useIsDark();
  const pages = NAV.map((item): Entry => ({
    ...item,
    id: item.to,
    group: "Pages",
    run: () => void navigate({ to: item.to }),
  }));
  const acts: Entry[] = [
    {
      id: "new connection",
      group: "Actions",
      label: "New connection",
      words: "add create",
      icon: Plus,
      run: () => void navigate({ to: "/connections", search: { new: true } }),
    },
    {
      id: "theme",
      group: "Actions",
      label: isDark ? "Light theme" : "Dark theme",
      words: "colours mode",
      icon: isDark ? Sun : Moon,
      run: () => setTheme(isDark ? "light" : "dark"),
    },
    {
      id: "vault",
      group: "Actions",
      label: "Vault",
      words: "lock unlock secrets master password",
      icon: LockOpen,
      run: () => void navigate({ to: "/unlock" }),
    },
    {
      id: "help",
      group: "Actions",
      label: "Keyboard shortcuts",
      icon: Keyboard,
      keys: "?",
      run: () => setOpen("help"),
    },
  ];
  useShortcuts([
    { keys: "mod+k", label: "Search everything", run: () => setOpen(open === "palette" ? null : "palette") },
    { keys: "?", label: "These shortcuts", run: () => setOpen("help") },
    ...NAV.map(({ keys, label, to }) => ({ keys, label, run: () => void navigate({ to }) })),
  ]);
  return (
    <div className="lg:pl-60">
      <a
        href="#page"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-70 focus:rounded-lg focus:bg-primary focus:px-4 focus:py-2 focus:text-white"
      >
        Skip to the page
      </a>
      <Sidebar isOpen={open === "menu"} onClose={() => setOpen(null)} />
      <Header
        isMenuOpen={open === "menu"}
        onMenu={() => setOpen("menu")}
        onSearch={() => setOpen("palette")}
        onHelp={() => setOpen("help")}
      />
      <main id="page" tabIndex={-1} className="outline-none">
        {membership ? <Outlet /> : <Nowhere />}
      </main>
      <Suspense>
        {open === "palette" && <Palette onClose={() => setOpen(null)} entries={[...pages, ...acts]} />}
        {open === "help" && <HelpDialog onClose={() => setOpen(null)} />}
      </Suspense>
    </div>
  );
}

function Nowhere() {
  return (
    <div className="p-8">
      <EmptyState
        icon={Building2}
        title="You belong to no organization: ask somebody for an invitation, or sign up with one of your own."
        link={<Link to="/">Look again</Link>}
      />
    </div>
  );
}
