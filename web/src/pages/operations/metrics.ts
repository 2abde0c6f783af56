/**
 * Single numbers out of `/metrics` (Prometheus text format), for those that no document tells.
 *
 *   quantdesk_hub_clients 3.0          → hub_clients
 *   quantdesk_source_state{source=…} 1 → summed over its labels
 */

export type Metrics = ReadonlyMap<string, number>;

const LINE = /^quantdesk_([a-z0-9_]+)(?:\{.*\})? (-?[0-9.eE+]+|NaN|[+-]Inf)$/;

/** Read the numbers; those of one name are summed over their labels. */
export function readMetrics(text: string): Metrics {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, told] = LINE.exec(line.trimEnd()) ?? [];
    if (name === undefined || told === undefined) continue;
    const value = Number(told);
    if (Number.isFinite(value)) found.set(name, (found.get(name) ?? 0) + value);
  }
  return found;
}
