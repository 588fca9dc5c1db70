/** Three slabs on one another: a plinth, drawn in the text's colour with the top one in the accent's. */
export function Mark({ className = "size-4" }: { className?: string }) {
  return (
    <svg viewBox="0 0 16 16" className={className} aria-hidden="true">
      <path d="M5 2h6v3.4H5z" className="fill-accent" />
      <path d="M3.5 6.3h9v3.4h-9zM2 10.6h12V14H2z" fill="currentColor" />
    </svg>
  );
}
