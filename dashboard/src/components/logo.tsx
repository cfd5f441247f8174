/** The mark: a struck bar and the two waves that leave it. */
export function Mark({ className = "size-6" }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <g fill="none" stroke="#fff" strokeWidth="2.75" strokeLinecap="round">
        <path d="M10.500 8v16" />
        <path d="M16 11.500a6.400 6.400 0 0 1 0 9" />
        <path d="M20.500 8a11.300 11.300 0 0 1 0 16" />
      </g>
    </svg>
  );
}
