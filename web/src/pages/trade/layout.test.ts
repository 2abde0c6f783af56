/** The trade page's layout: what is believed of what was kept, and how it fits a window. */
import { describe, expect, it } from "vitest";
import { BOUNDS, type Layout, type Sized, chartAbove, fit, keptAs, readLayout, resized } from "./layout";

const DESK = { width: 1440, height: 900 };
const SMALL = { width: 860, height: 600 };
const NONE: Layout = { hidden: false };

describe("reading", () => {
  it.each([undefined, null, "wide", 7, [], {}, { hidden: "yes" }])("%j is the default", (told) => {
    expect(readLayout(told)).toEqual(NONE);
  });

  it("takes what was kept", () => {
    const layout = { markets: 300, ticket: 400, orders: 240, hidden: true };
    expect(readLayout(JSON.parse(JSON.stringify(keptAs(layout).layout)))).toEqual(layout);
  });

  it.each<[Sized, unknown]>([
    ["markets", 207],
    ["markets", 401],
    ["ticket", "400"],
    ["ticket", -400],
    ["orders", NaN],
    ["orders", Infinity],
    ["orders", null],
    ["orders", { valueOf: () => 300 }],
  ])("%s of %s is not there, and harms no other", (name, size) => {
    const told = { markets: 300, ticket: 400, orders: 240, hidden: false, [name]: size };
    const { [name]: _, ...others } = { markets: 300, ticket: 400, orders: 240, hidden: false };
    expect(readLayout(told)).toEqual(others);
  });

  it.each(Object.entries(BOUNDS))("takes %s at its bounds", (name, { min, max }) => {
    expect(readLayout({ [name]: min })).toEqual({ ...NONE, [name]: min });
    expect(readLayout({ [name]: max })).toEqual({ ...NONE, [name]: max });
  });
});

describe("changing", () => {
  it("sets one size, or gives it back to the window", () => {
    const wider = resized({ hidden: true, orders: 300 }, "ticket", 420);
    expect(wider).toEqual({ hidden: true, orders: 300, ticket: 420 });
    expect(resized(wider, "ticket")).toEqual({ hidden: true, orders: 300 });
  });
});

describe("fitting", () => {
  it("says what the style sheet does where nothing was chosen", () => {
    const { markets, ticket, orders } = fit(NONE, DESK);
    expect([markets.value, ticket.value]).toEqual([220, 360]);
    expect(chartAbove(orders.value, DESK)).toBe(468); // 52vh
    expect(fit(NONE, { width: 1024, height: 900 }).ticket.value).toBe(350);
    expect(chartAbove(fit(NONE, SMALL).orders.value, SMALL)).toBe(360);
  });

  it("leaves the chart its least, whatever was kept", () => {
    const most = { markets: 400, ticket: 560, orders: 2_000, hidden: false };
    for (let width = 860; width <= 2_560; width += 20) {
      const { markets, ticket } = fit(most, { width, height: 900 });
      const beside = width >= 1_280 ? markets.value + 8 : 0;
      expect(width - 32 - 16 - 8 - beside - ticket.value).toBeGreaterThanOrEqual(440);
    }
    expect(chartAbove(fit(most, DESK).orders.value, DESK)).toBe(360);
  });

  it.each([DESK, SMALL, { width: 1280, height: 300 }])("is within its own bounds at %j", (room) => {
    for (const layout of [NONE, { markets: 400, ticket: 560, orders: 2_000, hidden: false }, { ticket: 560, hidden: true }]) {
      for (const { value, min, max } of Object.values(fit(layout, room))) {
        expect(value).toBeGreaterThanOrEqual(min);
        expect(value).toBeLessThanOrEqual(max);
      }
    }
  });

  it("gives the room of a hidden list to the others", () => {
    const wide = { markets: 400, hidden: false };
    const room = { width: 1_300, height: 900 };
    expect(fit({ ...wide, hidden: true }, room).ticket.max).toBeGreaterThan(fit(wide, room).ticket.max);
  });
});
