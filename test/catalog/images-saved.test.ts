/** Offers for machines that start from saved images. Pure; against the catalog of support.ts. */
import { offers } from "@muster/aws/ec2/offers/offers.ts";
import type { Choice, Saved } from "@muster/core/task/resources.ts";
import { expect, test } from "vitest";
import { catalog, typeOf } from "./support.ts";

const ARM = { instanceType: "m7g.xlarge" };

const from = (more: Partial<Saved> = {}, rest: Choice = {}): Choice => ({
  image: "muster:base",
  saved: {
    id: "img_1",
    name: "base",
    provider: "aws",
    ref: "ami-1",
    region: catalog.region,
    architecture: "x86_64",
    ...more,
  },
  ...rest,
});
const archs = (asked: Choice) => new Set(offers(catalog, asked).offers.map(offer => typeOf(offer.instanceType).arch));

test("only machines of its architecture are offered, also where none is named", () => {
  expect(archs(from())).toEqual(new Set(["x86_64"]));
  expect(archs(from({ architecture: "arm64" }))).toEqual(new Set(["arm64"]));
  expect(archs(from({ architecture: "arm64" }, ARM))).toEqual(new Set(["arm64"]));
});

test("a machine type of another architecture is refused, with the reason", () => {
  const { offers: none, reason, hint } = offers(catalog, from({}, ARM));
  expect(none).toEqual([]);
  expect(reason).toBe("image 'base' is for x86_64 machines, and m7g.xlarge is none");
  expect(hint).toContain("image_id null");
});

test("an image of another region has no machines here, and says so", () => {
  expect(offers(catalog, from({ region: "eu-west-1" }))).toMatchObject({
    offers: [],
    reason: `image 'base' is in eu-west-1, and this deployment makes machines in ${catalog.region}`,
  });
});

test("a saved image among images by region is refused: it has one region", () => {
  const { reason, hint } = offers(catalog, { images: { [catalog.region]: "muster:base" } });
  expect([reason, hint]).toEqual([
    expect.stringContaining("'muster:base'"),
    expect.stringContaining("image_id: muster:base"),
  ]);
});

test("what was said of another image counts for nothing", () => {
  const { offers: none, reason } = offers(catalog, from({}, { image: "muster:other" }));
  expect([none, reason]).toEqual([[], expect.stringContaining("'muster:other' is no image")]);
});

test("accelerators on an image that was saved without are told of", () => {
  const wanted = { accelerators: { A100: 8 } };
  const { notices } = offers(catalog, from({ instanceType: "m5.large" }, wanted));
  expect(notices).toEqual([expect.stringContaining("m5.large")]);
  expect(offers(catalog, from({ instanceType: "p4d.24xlarge" }, wanted)).notices).toBeUndefined();
});
