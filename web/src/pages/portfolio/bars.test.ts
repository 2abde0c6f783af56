import { expect, test } from "vitest";
import { barsOf, dotsOf, markoutsOf } from "./bars";
import type { Leg, VenueRow } from "./shapes";

const row = (venue: string, meanCostBps: string, stderrBps: string | null, more: Partial<VenueRow> = {}): VenueRow => ({
  venue, pair: "SOL-USDC", fills: 2, split: 0, feeApart: 0, meanCostBps, stderrBps, quotedToSimulatedBps: null,
  markout10sBps: null, markout1mBps: null, markout5mBps: null, biasBps: "0", ...more,
});

test("the dearest venue stands first, and errors fit into the plot", () => {
  const { bars, span } = barsOf([row("a", "-1.5", "4"), row("b", "2", null), row("c", "2", "1")]);
  expect(bars.map((bar) => bar.venue)).toEqual(["b", "c", "a"]);
  expect(bars.map((bar) => bar.error)).toEqual([null, 1, 4]);
  expect(bars.map((bar) => bar.text)).toEqual(["2.00", "2.00 ± 1.00", "−1.50 ± 4.00"]);
  expect(span[0]).toBeLessThan(-5.5);
  expect(span[1]).toBeGreaterThan(3);
});

test("a markout that is not known yet is no dot at zero", () => {
  const { rows, span } = markoutsOf([row("a", "0", null, { markout10sBps: "3", markout5mBps: "-7" })]);
  expect(rows[0]?.after).toEqual([3, null, -7]);
  expect(span[0]).toBeLessThan(-7);
});

test("only legs whose simulation and landing are their own are dots", () => {
  const leg = (orderId: string, simulated: string | null, landed: string | null, more: Partial<Leg> = {}) =>
    ({
      orderId, leg: 0, measured: true, simulatedMeasured: true, direction: "SELL",
      costBps: { quotedToSimulated: simulated, quotedToLanded: landed }, ...more,
    }) as Leg;
  const { dots } = dotsOf([
    leg("a", "1", "2"), leg("b", "1", "2", { measured: false }), leg("c", null, "2"), leg("d", "1", null),
    leg("e", "1", "2", { simulatedMeasured: false }),
  ]);
  expect(dots).toEqual([{ id: "a.0", orderId: "a", buy: false, x: 1, y: 2 }]);
});
