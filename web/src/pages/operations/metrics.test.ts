import { expect, it } from "vitest";
import { readMetrics } from "./metrics";

it("reads numbers by name, summed over their labels, and passes over the rest", () => {
  const text = [
    "# HELP quantdesk_hub_clients Clients of /ws.",
    "# TYPE quantdesk_hub_clients gauge",
    "quantdesk_hub_clients 3.0",
    'quantdesk_http_problems_total{code="order.unknown"} 2.0',
    'quantdesk_http_problems_total{code="funds insufficient} 9"} 1e+01',
    "quantdesk_odd NaN",
    "python_gc_objects 5.0",
    "quantdesk_cut",
  ].join("\n");
  expect([...readMetrics(text)]).toEqual([
    ["hub_clients", 3],
    ["http_problems_total", 12],
  ]);
});
