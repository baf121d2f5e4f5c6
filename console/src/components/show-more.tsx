// The button below a list that is fetched page by page.
import type { InfiniteQueryObserverResult } from "@tanstack/react-query";
import { Button } from "./ui/button";

type Pages = Pick<InfiniteQueryObserverResult, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;

interface ShowMoreProps {
  /** The list's query. */
  pages: Pages;
  children?: string;
}

/** Fetches the next page; nothing where all is there. */
export function ShowMore({ pages, children = "Show more" }: ShowMoreProps) {
  if (!pages.hasNextPage) return null;
  return (
    <Button
      className="self-center"
      isBusy={pages.isFetchingNextPage}
      onClick={() => void pages.fetchNextPage()}
    >
      {children}
    </Button>
  );
}
