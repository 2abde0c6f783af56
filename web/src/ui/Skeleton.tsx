/** The shape of what is on its way, so that nothing jumps when it comes. */
import "./ui.css";

export function Skeleton({ rows = 3, label = "Loading" }: { rows?: number | undefined; label?: string | undefined }) {
  return (
    <div className="ui-skeleton" role="status">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} className="ui-skeleton-row" aria-hidden="true" />
      ))}
    </div>
  );
}
