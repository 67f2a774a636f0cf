/** Laws of offers, for any request. Pure; against the catalog of support.ts. */

import { offers } from "@muster/aws/ec2/offers/offers.ts";
import { compare } from "@muster/aws/ec2/offers/place.ts";
import { canonical } from "@muster/core/accelerator/names.ts";
import type { Offer } from "@muster/core/ports/provider.ts";
import { Resources } from "@muster/core/task/task.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { catalog, typeOf } from "./support.ts";

const accelerator = fc.constantFrom(
  "A100",
  "a100-80gb",
  "A10G",
  "H100",
  "L4",
  "T4",
  "T4g",
  "Trainium",
  "V100",
  "A6000",
);
const amount = (...counts: number[]) => fc.constantFrom(...counts);
const zones = [...new Set(catalog.types.flatMap(type => type.zones)), "us-east-1z"];

/** Most of a request is left out: what asks for everything gets nothing. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>, weight = 4) =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const request = fc.record({
  accelerators: rarely(fc.dictionary(accelerator, amount(0.25, 1, 2, 4, 8, 16), { minKeys: 1, maxKeys: 3 }), 1),
  cpus: rarely(fc.record({ count: amount(1, 4, 5, 8, 96), atLeast: fc.boolean() })),
  memory: rarely(fc.record({ gib: amount(4, 16, 32, 100, 1152), atLeast: fc.boolean() })),
  instanceType: rarely(fc.constantFrom(...catalog.types.map(type => type.name), "g5.xlrage")),
  zone: rarely(fc.constantFrom(...zones)),
  spot: rarely(fc.boolean(), 1),
  spotFallback: rarely(fc.boolean()),
  maxHourly: rarely(amount(0.01, 0.5, 2, 25, 60)),
  efa: rarely(fc.boolean()),
  placementGroup: rarely(fc.boolean()),
  image: rarely(fc.constantFrom("ami-0123", "docker:ubuntu")),
  reservation: rarely(fc.constant("cr-0123"), 8),
});

test("requests of these laws are requests of the system", () => {
  fc.assert(fc.property(request, asked => Resources.safeParse(asked).success));
});

test("every offer meets the request", () => {
  let met = 0;
  fc.assert(
    fc.property(request, asked => {
      for (const offer of offers(catalog, asked).offers) {
        expect(broken(offer, asked)).toEqual([]);
        met += 1;
      }
    }),
    { numRuns: 2000 },
  );
  expect(met).toBeGreaterThan(100);
});

type Law = (offer: Offer, asked: Resources) => boolean;

const enough = (has: number, wanted: number | undefined, atLeast: boolean | undefined) =>
  wanted === undefined || (atLeast ? has >= wanted : has === wanted);

/** What an offer owes a request, said apart from how offers are found. */
const laws: Readonly<Record<string, Law>> = {
  accelerators: (offer, { accelerators }) =>
    accelerators === undefined ||
    Object.entries(accelerators).some(([name, count]) => offer.accelerators[canonical(name)] === count),
  uninvited: (offer, { accelerators, instanceType }) =>
    accelerators !== undefined || instanceType !== undefined || Object.keys(offer.accelerators).length === 0,
  cpus: (offer, { cpus }) => enough(offer.cpus, cpus?.count, cpus?.atLeast),
  memory: (offer, { memory }) => enough(offer.memory, memory?.gib, memory?.atLeast),
  type: (offer, { instanceType = offer.instanceType }) => offer.instanceType === instanceType,
  arch: (offer, { instanceType }) => instanceType !== undefined || typeOf(offer.instanceType).arch === "x86_64",
  zone: (offer, { zone = offer.zone }) => offer.zone === zone && typeOf(offer.instanceType).zones.includes(zone ?? ""),
  market: (offer, { spot = false, spotFallback = false }) => (offer.market === "spot" ? spot : !spot || spotFallback),
  ceiling: (offer, { maxHourly = Infinity }) => offer.hourly <= maxHourly,
  price: (offer, { reservation }) => offer.hourly === priceOf(offer, reservation !== undefined),
  efa: (offer, { efa }) => efa !== true || typeOf(offer.instanceType).efa !== undefined,
  together: (offer, { placementGroup }) => placementGroup !== true || typeOf(offer.instanceType).apart !== true,
};

function priceOf(offer: Offer, reserved: boolean): number | undefined {
  const { spot, onDemand } = typeOf(offer.instanceType);
  if (offer.market === "spot") return spot?.[offer.zone ?? ""];
  return onDemand ?? (reserved ? 0 : undefined);
}

/** The laws that the offer breaks. */
const broken = (offer: Offer, asked: Resources): string[] =>
  Object.keys(laws).filter(name => laws[name]?.(offer, asked) !== true);

test("offers are in one order, and none comes twice", () => {
  fc.assert(
    fc.property(request, asked => {
      const found = offers(catalog, asked).offers;
      for (const [index, offer] of found.entries()) {
        const before = found[index - 1];
        expect(before === undefined || compare(before, offer) < 0).toBe(true);
      }
      const keys = found.map(({ instanceType, zone, market }) => `${instanceType} ${zone} ${market}`);
      expect(new Set(keys).size).toBe(keys.length);
    }),
    { numRuns: 1000 },
  );
});

const all = catalog.types.flatMap(type => [
  ...offers(catalog, { instanceType: type.name, image: "ami-0123" }).offers,
  ...offers(catalog, { instanceType: type.name, image: "ami-0123", spot: true }).offers,
]);

test("the order is total", () => {
  // Of few prices and one market, so that what comes after the price decides.
  const even = all.filter(({ market, zone }) => market === "spot" && zone === "us-east-1a");
  const some = fc.oneof(fc.constantFrom(...all), fc.constantFrom(...even.map(offer => ({ ...offer, hourly: 1 }))));
  fc.assert(
    fc.property(some, some, some, (a, b, c) => {
      expect(Math.sign(compare(a, b))).toBe(0 - Math.sign(compare(b, a)));
      if (a !== b) expect(compare(a, b)).not.toBe(0);
      if (compare(a, b) < 0 && compare(b, c) < 0) expect(compare(a, c)).toBeLessThan(0);
    }),
  );
});

test("where there is no offer there is a reason and a hint, and no word of them is undefined", () => {
  fc.assert(
    fc.property(request, asked => {
      const found = offers(catalog, asked);
      if (found.offers.length > 0) return;
      expect(found.reason).toMatch(/\w/);
      expect(found.hint).toMatch(/\w/);
      expect(`${found.reason} ${found.hint}`).not.toMatch(/undefined|NaN|Infinity|null,|\$0\.00/);
    }),
    { numRuns: 2000 },
  );
});

test("a lower ceiling only takes offers away", () => {
  fc.assert(
    fc.property(request, amount(0.1, 1, 5, 30), (asked, ceiling) => {
      const { maxHourly: _, ...free } = asked;
      const every = offers(catalog, { ...free, instanceType: "p4d.24xlarge" }).offers;
      const left = offers(catalog, { ...free, instanceType: "p4d.24xlarge", maxHourly: ceiling }).offers;
      expect(left).toEqual(every.filter(offer => offer.hourly <= ceiling));
    }),
  );
});
