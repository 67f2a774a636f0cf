/** Laws of requests with choices, whatever they are. Pure; against the catalog of support.ts. */

import { offers } from "@muster/aws/ec2/offers/offers.ts";
import type { Offer } from "@muster/core/ports/provider.ts";
import { choicesOf, chosenOf, resourcesOf } from "@muster/core/provider/choices.ts";
import { offersOf } from "@muster/core/provider/offers.ts";
import { type Choice, Resources } from "@muster/core/task/resources.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { catalog } from "./support.ts";

const aws = { name: "aws", offers: async (asked: Choice, nodes: number) => offers(catalog, asked, nodes) };

const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });
const bare = <T extends object>(found: T): T =>
  Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as T;

const machine: fc.Arbitrary<Choice> = fc
  .record({
    provider: sometimes(fc.constantFrom("aws", "moon")),
    accelerators: sometimes(fc.constantFrom({ A100: 8 }, { L4: 1, T4: 1 }, { H100: 8 }, { A6000: 1 }, { A10G: 4 })),
    cpus: sometimes(fc.constantFrom({ count: 8, atLeast: true }, { count: 4, atLeast: false })),
    instanceType: sometimes(fc.constantFrom("g5.xlarge", "p5.48xlarge")),
    zone: sometimes(fc.constantFrom("us-east-1a", "us-east-1b")),
    spot: sometimes(fc.boolean()),
    spotFallback: sometimes(fc.boolean()),
    image: sometimes(fc.constantFrom("ami-1", "ami-2")),
    images: sometimes(fc.constantFrom({ "us-east-1": "ami-3" }, { "eu-west-1": "ami-4" })),
    diskSize: sometimes(fc.constantFrom(100, 200)),
  })
  .map(bare);
const choices = fc.array(machine, { minLength: 1, maxLength: 4 });

const place = ({ instanceType, zone, market }: Offer): string => `${instanceType} ${zone} ${market}`;
const firsts = (all: readonly Offer[]): Offer[] => [
  ...new Map(all.toReversed().map(one => [place(one), one])).values(),
];

/** What each of the choices has by itself, in its own order. */
async function blocksOf(resources: Resources): Promise<Offer[][]> {
  const found = choicesOf(resources).map(async (choice, index) => {
    if (choice.provider === "moon") return [];
    const { offers: mine } = await aws.offers({ ...choice, provider: "aws" }, 1);
    return mine.map(offer => ({ ...offer, choice: index }));
  });
  return Promise.all(found);
}

const isSorted = (list: readonly Offer[]): boolean =>
  list.every((offer, index) => index === 0 || (list[index - 1]?.hourly ?? 0) <= offer.hourly);

test("a request without choices gets what it always got", async () => {
  await fc.assert(
    fc.asyncProperty(machine, async asked => {
      const { provider: _, ...rest } = asked;
      expect(await offersOf(aws, asked, 1)).toEqual(await aws.offers({ ...asked, provider: "aws" }, 1));
      expect(choicesOf(asked)).toEqual([asked]);
      expect(chosenOf({ resources: rest }, {})).toEqual(rest);
    }),
  );
});

test("of any_of each offer of each choice is there once, the cheapest first", async () => {
  let several = 0;
  await fc.assert(
    fc.asyncProperty(machine, choices, async (base, anyOf) => {
      const resources = { ...base, anyOf };
      const blocks = await blocksOf(resources);
      const { offers: found } = await offersOf(aws, resources, 1);
      const all = blocks.flat();
      expect(found.map(place).toSorted()).toEqual([...new Set(all.map(place))].toSorted());
      if (blocks.every(isSorted)) expect(isSorted(found)).toBe(true);
      for (const [index, block] of blocks.entries()) {
        const mine = found.filter(offer => offer.choice === index);
        const order = block.map(place);
        expect(mine.map(place)).toEqual(order.filter(one => mine.some(offer => place(offer) === one)));
      }
      if (blocks.filter(block => block.length > 0).length > 1) several += 1;
    }),
    { numRuns: 300 },
  );
  expect(several).toBeGreaterThan(20);
});

test("of ordered all offers of a choice come before those of the next", async () => {
  await fc.assert(
    fc.asyncProperty(machine, choices, async (base, ordered) => {
      const resources = { ...base, ordered };
      const { offers: found } = await offersOf(aws, resources, 1);
      const all = (await blocksOf(resources)).flat();
      expect(found).toEqual(all.filter(offer => firsts(all).includes(offer)));
      const order = found.map(offer => offer.choice ?? -1);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});

test("an offer is one of those that its own choice has, over what is asked of all", async () => {
  await fc.assert(
    fc.asyncProperty(machine, choices, fc.boolean(), async (base, some, isOrdered) => {
      const resources: Resources = isOrdered ? { ...base, ordered: some } : { ...base, anyOf: some };
      expect(Resources.safeParse(resources).success).toBe(true);
      for (const offer of (await offersOf(aws, resources, 1)).offers) {
        const own = some[offer.choice ?? -1];
        if (own === undefined) throw new Error("an offer of no choice");
        const asked = resourcesOf({ resources }, offer);
        const { choice: _, ...plain } = offer;
        expect((await aws.offers(asked, 1)).offers).toContainEqual(plain);
        const { image = own.images === undefined ? base.image : undefined, images = base.images, ...rest } = own;
        expect(asked).toMatchObject(rest);
        expect(asked.image).toBe(image ?? images?.["us-east-1"]);
        expect(asked).not.toHaveProperty("anyOf");
      }
    }),
    { numRuns: 200 },
  );
});

test("where nothing is offered, it is said of each choice why", async () => {
  const found = await offersOf(aws, { anyOf: [{ accelerators: { A40: 1 } }, { accelerators: { A100: 3 } }] }, 1);
  expect(found.reason).toMatch(
    /^none of the choices is to be had: resources\.any_of\.0: EC2 has no A40 .*; resources\.any_of\.1: EC2 has no machine with 3 A100 /,
  );
  expect(found.hint).toBe("ask for one of those with: --resources.any_of.0.accelerators NAME:COUNT");
});

test("choices that are not to be had are told beside those that are", async () => {
  const asked = { ordered: [{ accelerators: { A40: 1 } }, { accelerators: { A100: 8 } }] };
  const { offers: found, notices } = await offersOf(aws, asked, 1);
  expect(found[0]).toMatchObject({ instanceType: "p4d.24xlarge", choice: 1 });
  expect(notices).toEqual([expect.stringMatching(/^resources\.ordered\.0 is not to be had: EC2 has no A40 in any/)]);
});
