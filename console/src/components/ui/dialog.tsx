// What stands before the page: dialogs in its middle, drawers at its side.
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  /** Stays in sight below what is scrolled. */
  footer?: ReactNode;
  className?: string;
  /** Asks to be answered, so that a click beside it does not close it. */
  isModal?: boolean;
}

const WHERE = {
  middle:
    "animate-in else:top-[6vh] left-1/2 max-h-[88vh] else:w-[min(42rem,calc(100vw-2rem))] -translate-x-1/2 rounded-xl border border-border",
  side: "animate-slide inset-y-0 right-0 else:w-[min(32rem,100vw)] border-l border-border",
};

function Sheet({ at, ...props }: DialogProps & { at: keyof typeof WHERE }) {
  const { isOpen, onClose, title, description, children, footer, className, isModal } = props;
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/50 backdrop-blur-[2px]" />
        <Radix.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          onInteractOutside={(event) => isModal && event.preventDefault()}
          className={cn(
            "fixed z-50 flex flex-col overflow-hidden bg-raised shadow-2xl",
            WHERE[at],
            className,
          )}
        >
          <header className="flex items-start gap-4 px-6 pt-5 pb-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-1 text-sm text-muted-foreground">
                  {description}
                </Radix.Description>
              )}
            </div>
            <Radix.Close
              aria-label="Close"
              className="grid size-8 place-items-center rounded-md text-muted-foreground hover:bg-muted hover:text-foreground"
            >
              <X aria-hidden className="size-4" />
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-6 pt-1 pb-5">{children}</div>
          {footer && (
            <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-border px-6 py-3">
              {footer}
            </footer>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function Dialog(props: DialogProps) {
  return <Sheet at="middle" {...props} />;
}

export function Drawer(props: DialogProps) {
  return <Sheet at="side" {...props} />;
}
