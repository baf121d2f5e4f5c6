// What is drawn in the place of a page that is on its way.
import { Skeleton, SkeletonPage } from "./ui/states";

function Frame({ children }: { children: React.ReactNode }) {
  return (
    <div className="mx-auto w-full max-w-[110rem] px-4 py-6 sm:px-8">
      <SkeletonPage label="Loading">
        <div className="flex justify-between">
          <Skeleton className="h-8 w-48" />
          <Skeleton className="h-9 w-36" />
        </div>
        {children}
      </SkeletonPage>
    </div>
  );
}

/** Of a page with cards. */
export function CardsPending() {
  return (
    <Frame>
      <Skeleton className="h-9 w-full max-w-xl" />
      <div className="grid grid-cols-[repeat(auto-fill,minmax(18rem,1fr))] gap-4">
        {Array.from({ length: 8 }, (_, index) => (
          <Skeleton key={index} className="h-52 rounded-xl" />
        ))}
      </div>
    </Frame>
  );
}

/** Of a page with a table. */
export function TablePending() {
  return (
    <Frame>
      <Skeleton className="h-9 w-full max-w-xl" />
      <div className="flex flex-col gap-px overflow-hidden rounded-xl">
        {Array.from({ length: 10 }, (_, index) => (
          <Skeleton key={index} className="h-12 rounded-none" />
        ))}
      </div>
    </Frame>
  );
}
