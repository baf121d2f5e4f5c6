// The mark of FlowETL.

export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <rect width="32" height="32" rx="8" fill="#fff" fillOpacity=".14" />
      <path
        d="M8 11h7a4 4 0 0 1 4 4v2a4 4 0 0 0 4 4h1M8 21h4"
        fill="none"
        stroke="#fff"
        strokeWidth="2.5"
        strokeLinecap="round"
      />
      <circle cx="8" cy="11" r="2.5" fill="#fff" />
      <circle cx="8" cy="21" r="2.5" fill="#d8b4fe" />
      <circle cx="24" cy="21" r="2.5" fill="#fff" />
    </svg>
  );
}
