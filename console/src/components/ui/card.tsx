// A raised surface.
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";

/** `lifts` by 2 px where the pointer is, for cards that can be opened. */
export function Card({ lifts, className, ...rest }: ComponentProps<"div"> & { lifts?: boolean }) {
  return (
    <div
      {...rest}
      className={cn(
        "rounded-xl border else:border-border bg-card shadow-xs",
        lifts &&
          "transition-[transform,box-shadow,border-color] duration-150 hover:-translate-y-0.5 hover:border-primary/50 hover:shadow-lg hover:shadow-primary/10",
        className,
      )}
    />
  );
}

/** A part of a page with its heading. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="flex flex-col gap-3">
      <div className="flex min-h-8 items-center justify-between gap-4">
        <h2 className="text-base font-semibold">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Keys as they are printed on a keyboard. */
export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-grid h-5 min-w-5 place-items-center rounded border border-border bg-muted px-1 font-sans text-[11px] text-muted-foreground">
      {children}
    </kbd>
  );
}
