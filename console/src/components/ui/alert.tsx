// A result or a warning within a page or a form.
import { CircleCheck, CircleX, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

const KINDS = {
  success: { icon: CircleCheck, classes: "border-success/40 bg-success-soft/60", icons: "text-success" },
  danger: { icon: CircleX, classes: "border-danger/40 bg-danger-soft/60", icons: "text-danger" },
  warning: { icon: TriangleAlert, classes: "border-warning/40 bg-warning-soft/60", icons: "text-warning" },
  info: { icon: Info, classes: "border-info/40 bg-info-soft/60", icons: "text-info" },
};

interface AlertProps {
  kind: keyof typeof KINDS;
  title?: ReactNode;
  children?: ReactNode;
  className?: string;
}

export function Alert({ kind, title, children, className }: AlertProps) {
  const { icon: Icon, classes, icons } = KINDS[kind];
  return (
    <div
      role={kind === "danger" ? "alert" : "status"}
      className={cn("animate-in flex gap-3 rounded-lg border px-4 py-3 text-sm", classes, className)}
    >
      <Icon aria-hidden className={cn("mt-0.5 size-4.5 shrink-0", icons)} />
      <div className="min-w-0 break-words">
        {title && <p className="font-semibold">{title}</p>}
        {children}
      </div>
    </div>
  );
}
