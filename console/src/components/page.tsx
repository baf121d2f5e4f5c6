// The frame of every page: its heading, what stands beside it, and the window's title.
import type { ReactNode } from "react";
import { useTitle } from "@/lib/title";

interface PageProps {
  title: string;
  /** One line below the heading. */
  lead?: ReactNode;
  /** Buttons, the primary one last. */
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, lead, actions, children }: PageProps) {
  useTitle(title);
  return (
    <div className="mx-auto flex w-full max-w-[110rem] flex-col gap-5 px-4 py-6 sm:px-8">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        {/* What is long goes on in another line, so that the buttons stay beside it. */}
        <div className="min-w-0 flex-1 basis-72">
          <h1 className="truncate text-2xl font-semibold tracking-tight">{title}</h1>
          {lead && <div className="mt-1 text-muted-foreground">{lead}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children}
    </div>
  );
}
