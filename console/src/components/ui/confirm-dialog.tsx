// Asks before something is lost: names it, and what depends on it.
import { type ReactNode, useState } from "react";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Field } from "./field";
import { Input } from "./input";

interface ConfirmDialogProps {
  isOpen: boolean;
  onClose: () => void;
  /** `Delete connection shop?` */
  title: string;
  /** What it does, what depends on the thing. */
  children: ReactNode;
  /** `Delete connection` */
  action: string;
  onConfirm: () => void;
  isBusy?: boolean;
  error?: ReactNode;
  /** Has to be typed first, where much is lost. */
  mustType?: string;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { isOpen, onClose, title, children, action, onConfirm, isBusy, error, mustType } = props;
  const [typed, setTyped] = useState("");
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button
        variant="danger"
        onClick={onConfirm}
        isBusy={isBusy ?? false}
        disabled={mustType !== undefined && typed !== mustType}
      >
        {action}
      </Button>
    </>
  );
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={title}
      footer={footer}
      className="w-[min(30rem,calc(100vw-2rem))]"
    >
      <div className="flex flex-col gap-3 text-sm">
        {children}
        {mustType !== undefined && (
          <Field label={`Type ${mustType} to go on`}>
            {(control) => (
              <Input
                {...control}
                value={typed}
                autoComplete="off"
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
        )}
        {error}
      </div>
    </Dialog>
  );
}
