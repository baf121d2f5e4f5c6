// Shows a secret that was just made, once.
import type { ReactNode } from "react";
import { Secret } from "./secret";
import { Alert } from "./ui/alert";
import { Button } from "./ui/button";
import { Dialog } from "./ui/dialog";

interface SecretDialogProps {
  title: string;
  label: string;
  secret: string;
  /** What is to be done with it. */
  words: ReactNode;
  kind?: "warning" | "success";
  onClose: () => void;
  /** Below it. */
  children?: ReactNode;
}

export function SecretDialog({
  title,
  label,
  secret,
  words,
  kind = "warning",
  onClose,
  children,
}: SecretDialogProps) {
  return (
    <Dialog isOpen isModal onClose={onClose} title={title} footer={<Button onClick={onClose}>Done</Button>}>
      <div className="flex flex-col gap-4">
        <Alert kind={kind}>{words}</Alert>
        <Secret label={label} text={secret} />
        {children}
      </div>
    </Dialog>
  );
}
