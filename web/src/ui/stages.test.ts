import { expect, test } from "vitest";
import { type Told, steps } from "./stages";

const told = (status: string, second: number, attempt = 1): Told => ({ status, attempt, timestamp: `t${second}` });
const marks = (events: Told[], status: string) => steps(events, status).map(({ mark }) => mark).join(" ");

test("nothing heard yet: pending is now", () => {
  expect(marks([], "PENDING")).toBe("now ahead ahead ahead ahead");
});

test("on its way", () => {
  const events = [told("PENDING", 0), told("ROUTING", 1), told("BUILDING", 2)];
  expect(marks(events, "BUILDING")).toBe("done done now ahead ahead");
  expect(steps(events, "BUILDING").map(({ at }) => at)).toEqual(["t0", "t1", "t2", null, null]);
});

test("confirmed is done throughout", () => {
  expect(marks([told("PENDING", 0), told("CONFIRMED", 4)], "CONFIRMED")).toBe("done done done done done");
});

test("a failure stands on the stage it ended in", () => {
  const events = [told("PENDING", 0), told("ROUTING", 1), told("BUILDING", 2), told("FAILED", 3)];
  expect(marks(events, "FAILED")).toBe("done done failed ahead ahead");
  expect(marks([told("PENDING", 0), told("CANCELLED", 1)], "CANCELLED")).toBe("cancelled ahead ahead ahead ahead");
});

test("another attempt forgets the times of the one before, not of the beginning", () => {
  const events = [told("PENDING", 0), told("ROUTING", 1), told("BUILDING", 2), told("SUBMITTED", 3), told("ROUTING", 9, 2)];
  expect(marks(events, "ROUTING")).toBe("done now ahead ahead ahead");
  expect(steps(events, "ROUTING").map(({ at }) => at)).toEqual(["t0", "t9", null, null, null]);
});

test("of a stage told twice the later time counts", () => {
  const events = [told("PENDING", 0), told("SUBMITTED", 3), told("SUBMITTED", 8)];
  expect(steps(events, "SUBMITTED")[3]).toEqual({ stage: "SUBMITTED", mark: "now", at: "t8" });
});
