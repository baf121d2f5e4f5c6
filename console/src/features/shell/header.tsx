// The line above every page: organization, search, vault, theme, person.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import {
  DoorOpen,
  Keyboard,
  Lock,
  LockOpen,
  LogOut,
  Menu as MenuIcon,
  Monitor,
  Moon,
  Search,
  Sun,
} from "lucide-react";
import { useSignOut } from "@/api/auth";
import { useMe } from "@/api/me";
import { useWhoIsHere } from "@/api/session";
import { vaultQuery } from "@/api/vault";
import { Button } from "@/components/ui/button";
import { Kbd } from "@/components/ui/card";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from "@/components/ui/menu";
import { Tooltip } from "@/components/ui/tooltip";
import { keyNames } from "@/lib/keys";
import { setTheme, type Theme, useTheme } from "@/lib/theme";
import { LiveNotice } from "./live-notice";
import { OrganizationMenu } from "./organization-menu";

interface HeaderProps {
  isMenuOpen: boolean;
  onMenu: () => void;
  onSearch: () => void;
  onHelp: () => void;
}

const THEMES = [
  { value: "system", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
] as const satisfies readonly { value: Theme; label: string }[];

export function Header({ isMenuOpen, onMenu, onSearch, onHelp }: HeaderProps) {
  return (
    <header className="sticky top-0 z-20 flex h-14 items-center gap-2 border-b border-border bg-card/90 px-4 backdrop-blur sm:px-8">
      <Button
        variant="ghost"
        size="icon"
        className="lg:hidden"
        aria-label="Menu"
        aria-expanded={isMenuOpen}
        aria-controls="menu"
        onClick={onMenu}
      >
        <MenuIcon aria-hidden />
      </Button>
      <OrganizationMenu />
      <button
        type="button"
        onClick={onSearch}
        className="mx-auto flex h-9 w-9 items-center gap-2 rounded-lg border border-border bg-background px-2.5 text-muted-foreground hover:border-input sm:w-full sm:max-w-md"
      >
        <Search aria-hidden className="size-4 shrink-0" />
        <span className="sr-only min-w-0 flex-1 truncate text-left sm:not-sr-only sm:truncate">
          Search or jump to…
        </span>
        <span aria-hidden className="hidden gap-1 sm:flex">
          {keyNames("mod+k").map((key) => (
            <Kbd key={key}>{key.toUpperCase() === "K" ? "K" : key}</Kbd>
          ))}
        </span>
      </button>
      <OpenNotice />
      <LiveNotice />
      <VaultLock />
      <PersonMenu onHelp={onHelp} />
    </header>
  );
}

/** Stays as long as nobody needs to sign in. */
function OpenNotice() {
  if (useWhoIsHere() !== "anybody") return null;
  return (
    <Tooltip side="bottom" text="Nobody signs in (--auth off): whoever uses this machine may do everything.">
      <button
        type="button"
        className="flex min-h-6 shrink-0 cursor-help items-center gap-2 rounded-full bg-warning-soft px-3 py-1 text-xs font-medium text-warning"
      >
        <DoorOpen aria-hidden className="size-3.5" /> Open to this machine
      </button>
    </Tooltip>
  );
}

/** Always tells how the vault stands; leads to where it is opened. */
function VaultLock() {
  const { data: vault } = useQuery(vaultQuery);
  if (!vault) return <span className="size-8" />;
  const isLocked = vault.locked;
  const words = isLocked
    ? "The vault is locked: runs that need secrets wait"
    : vault.exists
      ? "The vault is open"
      : "There are no secrets yet";
  const icon = isLocked ? <Lock aria-hidden /> : <LockOpen aria-hidden />;
  return (
    <Tooltip text={words} side="bottom">
      <Button asChild variant="ghost" size="icon" className={isLocked ? "bg-warning-soft text-warning" : ""}>
        <Link to="/unlock" aria-label={words}>
          {icon}
        </Link>
      </Button>
    </Tooltip>
  );
}

function PersonMenu({ onHelp }: { onHelp: () => void }) {
  const me = useMe();
  const isPerson = useWhoIsHere() === "person";
  const theme = useTheme();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const Icon = { light: Sun, dark: Moon, system: Monitor }[theme];
  const trigger = (
    <button
      type="button"
      aria-label={`${initials(me.name)}, ${me.name}: account and theme`}
      className="grid size-8 shrink-0 place-items-center rounded-full bg-primary-deep text-xs font-semibold text-white"
    >
      {initials(me.name)}
    </button>
  );
  const leave = () =>
    signOut.mutate(undefined, { onSettled: () => void navigate({ to: "/login", search: {} }) });
  return (
    <Menu trigger={trigger}>
      <div className="px-2.5 py-2">
        <p className="font-medium">{me.name}</p>
        <p className="text-xs text-muted-foreground">{isPerson ? me.email : "Nobody signs in"}</p>
      </div>
      <MenuSeparator />
      <MenuLabel>
        <span className="flex items-center gap-2">
          <Icon aria-hidden className="size-3.5" /> Theme
        </span>
      </MenuLabel>
      <MenuChoice label="Theme" value={theme} choices={THEMES} onChange={setTheme} />
      <MenuSeparator />
      <MenuItem icon={Keyboard} onSelect={onHelp}>
        Keyboard shortcuts
      </MenuItem>
      {isPerson && (
        <MenuItem icon={LogOut} onSelect={leave}>
          Sign out
        </MenuItem>
      )}
    </Menu>
  );
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== "");
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => word?.[0]?.toUpperCase() ?? "")
    .join("");
}
