// Where one is among the folders, and the way back.
import { ChevronRight, House } from "lucide-react";

export function FolderPath({ folder, onGo }: { folder: string; onGo: (folder: string) => void }) {
  const names = folder === "" ? [] : folder.split("/");
  const link =
    "flex h-8 items-center gap-1.5 rounded-md px-2 font-medium hover:bg-muted aria-[current]:text-muted-foreground";
  return (
    <nav aria-label="Folders">
      <ol className="flex flex-wrap items-center">
        <li>
          <button
            type="button"
            className={link}
            aria-current={folder === "" ? "page" : undefined}
            onClick={() => onGo("")}
          >
            <House aria-hidden className="size-4" /> files
          </button>
        </li>
        {names.map((name, index) => (
          <li key={index} className="flex items-center">
            <ChevronRight aria-hidden className="size-4 text-muted-foreground" />
            <button
              type="button"
              className={link}
              aria-current={index === names.length - 1 ? "page" : undefined}
              onClick={() => onGo(names.slice(0, index + 1).join("/"))}
            >
              {name}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
