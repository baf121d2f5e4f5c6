// A dialog that is one form: its buttons stay in sight below it, and Enter sends it.
import { type ReactNode, useId } from "react";
import { cn } from "@/lib/cn";
import { Button } from "./button";
import { Dialog } from "./dialog";

interface FormDialogProps {
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  /** What its button says. */
  action: string;
  onSubmit: () => void;
  isBusy?: boolean;
  disabled?: boolean;
  /** What is wrong is said by its fields, not by the browser. */
  noValidate?: boolean;
  /** Asks to be answered, so that a click beside it does not close it. */
  isModal?: boolean;
  children: ReactNode;
  className?: string;
}

export function FormDialog({ action, onSubmit, isBusy, disabled, noValidate, ...props }: FormDialogProps) {
  const { onClose, children, className, ...dialog } = props;
  const id = useId();
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button variant="primary" type="submit" form={id} isBusy={isBusy ?? false} disabled={disabled ?? false}>
        {action}
      </Button>
    </>
  );
  return (
    <Dialog isOpen onClose={onClose} footer={footer} {...dialog}>
      <form
        id={id}
        noValidate={noValidate ?? false}
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
        className={cn("flex flex-col else:gap-4", className)}
      >
        {children}
      </form>
    </Dialog>
  );
}
