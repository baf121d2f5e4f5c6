// The way to the pages, on the purple gradient; a drawer on narrow screens.
import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { healthQuery } from "@/api/health";
import { Logo } from "@/components/logo";
import { cn } from "@/lib/cn";
import { NAV } from "./nav";

export function Sidebar({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { data: health } = useQuery(healthQuery);
  return (
    <>
      {isOpen && (
        <button
          type="button"
          aria-label="Close the menu"
          onClick={onClose}
          className="fixed inset-0 z-30 bg-black/50 lg:hidden"
        />
      )}
      <aside
        id="menu"
        className={cn(
          "on-purple fixed inset-y-0 left-0 z-30 flex w-60 flex-col text-white transition-[transform,visibility] duration-150 lg:visible lg:translate-x-0",
          isOpen ? "translate-x-0 shadow-2xl" : "invisible -translate-x-full",
        )}
      >
        <Link to="/" className="m-3 flex items-center gap-3 rounded-lg px-2 py-2" onClick={onClose}>
          <Logo className="size-9" />
          <span className="text-lg font-semibold tracking-tight">FlowETL</span>
        </Link>
        <nav aria-label="Pages" className="flex-1 overflow-y-auto px-3">
          <ul className="flex flex-col gap-0.5">
            {NAV.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  onClick={onClose}
                  activeOptions={{ exact: to === "/", includeSearch: false }}
                  className="flex h-10 items-center gap-3 rounded-lg px-3 font-medium text-white/85 transition-colors duration-150 hover:bg-white/10 hover:text-white"
                  activeProps={{ className: "bg-white/16 text-white shadow-[inset_3px_0_0_#e9d5ff]" }}
                >
                  <Icon aria-hidden className="size-4.5" />
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <p className="px-5 py-4 text-xs text-white/75">{health && `Version ${health.version}`}</p>
      </aside>
    </>
  );
}
