// Text to be copied: a thing as YAML, or as a command.
import { CopyButton } from "./ui/copy-button";
import { Dialog } from "./ui/dialog";

interface CodeDialogProps {
  title: string;
  description?: string;
  text: string;
  onClose: () => void;
}

export function CodeDialog({ title, description, text, onClose }: CodeDialogProps) {
  return (
    <Dialog isOpen onClose={onClose} title={title} description={description}>
      <div className="relative">
        <pre
          // What scrolls is to be reached by the keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          className="overflow-x-auto rounded-lg bg-muted p-4 pr-12 font-mono text-xs leading-relaxed"
        >
          {text}
        </pre>
        <CopyButton text={text} label="Copy" className="absolute top-2 right-2 bg-raised" />
      </div>
    </Dialog>
  );
}
