// The purple gradient with a card in its middle, for who is not signed in yet.
import type { ReactNode } from "react";
import { Logo } from "@/components/logo";
import { useTitle } from "@/lib/title";

interface PurplePageProps {
  title: string;
  lead: ReactNode;
  children: ReactNode;
  /** Below the card. */
  below?: ReactNode;
}

export function PurplePage({ title, lead, children, below }: PurplePageProps) {
  useTitle(title);
  return (
    <main className="on-purple relative grid min-h-dvh place-items-center overflow-hidden px-4 py-10">
      <Streams />
      <div className="animate-in relative flex w-full max-w-md flex-col gap-6">
        <p className="flex items-center justify-center gap-3 text-2xl font-semibold tracking-tight text-white">
          <Logo className="size-11" />
          FlowETL
        </p>
        <div className="rounded-2xl bg-card p-7 shadow-2xl shadow-black/40 [&_:focus-visible]:outline-ring!">
          <h1 className="text-xl font-semibold">{title}</h1>
          <p className="mt-1 mb-6 text-muted-foreground">{lead}</p>
          {children}
        </div>
        {below && (
          <p className="text-center text-white/90 [&_a]:font-semibold [&_a]:text-white [&_a]:underline [&_a]:underline-offset-4">
            {below}
          </p>
        )}
      </div>
    </main>
  );
}

/** Rows on their way, far behind. */
function Streams() {
  return (
    <svg
      aria-hidden
      viewBox="0 0 1200 800"
      preserveAspectRatio="xMidYMid slice"
      className="absolute inset-0 size-full opacity-25"
      fill="none"
      stroke="#e9d5ff"
    >
      {[0, 1, 2, 3, 4, 5].map((row) => (
        <path
          key={row}
          d={`M-40 ${90 + row * 140} C 260 ${20 + row * 120}, 420 ${260 + row * 110}, 700 ${150 + row * 120} S 1080 ${60 + row * 150}, 1260 ${140 + row * 125}`}
          strokeWidth={row % 2 === 0 ? 1.5 : 3}
          strokeDasharray={row % 2 === 0 ? undefined : "2 16"}
          strokeLinecap="round"
        />
      ))}
    </svg>
  );
}
