// The menu of a thing: what can be done with it, and how it is written elsewhere: as YAML, as a command, as a call.
import { Braces, Copy, Ellipsis, FileCode, SquareTerminal } from "lucide-react";
import { lazy, type ReactNode, Suspense, useRef, useState } from "react";
import { currentOrganization } from "@/api/organization";
import { type Call, curl } from "@/lib/command";
import { useShortcuts } from "@/lib/keys";
import { Button } from "./ui/button";
import { Menu, MenuItem, MenuSeparator, openMenuIn } from "./ui/menu";
import { toast } from "./ui/toast";

// It comes when it is opened first.
const CodeDialog = lazy(() => import("./code-dialog").then(({ CodeDialog }) => ({ default: CodeDialog })));

/** How a thing is written elsewhere. */
export interface Written {
  id: string;
  /** Asked for when it is to be seen. */
  yaml: () => string | Promise<string>;
  /** Where that belongs. */
  about: string;
  command: string;
  call: Call;
}

interface ThingMenuProps {
  name: string;
  written: Written;
  /** The page is about it: `.` opens its menu. In lists, `.` opens that of the chosen row. */
  isPage?: boolean;
  /** Items before those. */
  children?: ReactNode;
  className?: string;
}

export function ThingMenu({ name, written, isPage = false, children, className }: ThingMenuProps) {
  const [yaml, setYaml] = useState<string | null>(null);
  const place = useRef<HTMLSpanElement>(null);
  useShortcuts(isPage ? [{ keys: ".", label: "Actions", run: () => openMenuIn(place.current) }] : []);
  const copy = (what: string, text: string) =>
    void navigator.clipboard.writeText(text).then(() => toast("success", `${what} was copied.`));
  const show = async () => {
    try {
      setYaml(await written.yaml());
    } catch (error) {
      toast("danger", `${name} could not be read: ${error instanceof Error ? error.message : "no answer"}.`);
    }
  };
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={`More about ${name}`} className={className}>
      <Ellipsis aria-hidden />
    </Button>
  );
  return (
    <span ref={place} className="contents">
      <Menu trigger={trigger}>
        {children}
        {children && <MenuSeparator />}
        <MenuItem icon={FileCode} onSelect={() => void show()}>
          View as YAML
        </MenuItem>
        <MenuItem icon={SquareTerminal} onSelect={() => copy("The command", written.command)}>
          Copy as CLI
        </MenuItem>
        <MenuItem icon={Braces} onSelect={() => copy("The call", curl(written.call, currentOrganization()))}>
          Copy as API call
        </MenuItem>
        <MenuItem icon={Copy} onSelect={() => copy("The id", written.id)}>
          Copy id
        </MenuItem>
      </Menu>
      <Suspense>
        {yaml !== null && (
          <CodeDialog
            title={`${name} as YAML`}
            description={written.about}
            text={yaml}
            onClose={() => setYaml(null)}
          />
        )}
      </Suspense>
    </span>
  );
}
