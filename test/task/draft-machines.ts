/** Made-up machines that a task may ask for. */
import * as fc from "fast-check";
import { line, text } from "./draft-text.ts";

export const name = fc.stringMatching(/^[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?$/);
const share = fc.integer({ min: 1, max: 4000 }).map(count => count / 8);
const quantity = fc.oneof(share, fc.constantFrom(1e-7, 0.1, 1.1, 4096));
const gpu = fc.constantFrom("A100", "H100", "L4", "V100-32GB", "Gaudi.HL-205", "t4");
const gpus = (most: number) => fc.dictionary(gpu, share, { minKeys: 1, maxKeys: most, noNullPrototype: true });
const optional = { requiredKeys: [] };

const machine = {
  provider: line(63)
    .map(value => value.toLowerCase())
    .filter(value => value.length < 64),
  accelerators: gpus(1),
  cpus: fc.record({ count: quantity, atLeast: fc.boolean() }),
  memory: fc.record({ gib: quantity, atLeast: fc.boolean() }),
  instanceType: line(60),
  region: line(60),
  zone: line(60),
  spot: fc.boolean(),
  spotFallback: fc.boolean(),
  maxHourly: quantity,
  reservation: line(60),
  placementGroup: fc.boolean(),
  efa: fc.boolean(),
  networkTier: fc.constantFrom("standard" as const, "best" as const),
  subnet: line(60),
  securityGroups: fc.array(line(60), { minLength: 1, maxLength: 5 }),
  tenancy: fc.constantFrom("default" as const, "dedicated" as const),
  diskSize: fc.integer({ min: 1, max: 65_536 }),
  diskTier: fc.constantFrom("low", "medium", "high", "ultra", "best"),
  ports: fc.array(fc.constantFrom("22", "8080", "8000-8010", "65535"), { maxLength: 3 }),
  labels: fc.dictionary(
    line(40).filter(key => !/^aws:|^__proto__$/i.test(key)),
    text.map(value => value.slice(0, 200)),
    { maxKeys: 3, noNullPrototype: true },
  ),
};
const ami = line(60).filter(image => !/^docker:|^skypilot:|\//i.test(image));
const images = fc.oneof(
  fc.record({ image: ami }, optional),
  fc.record({ images: fc.dictionary(name, ami, { minKeys: 1, maxKeys: 3, noNullPrototype: true }) }, optional),
);
type Machine = { [K in keyof typeof machine]?: (typeof machine)[K] };
/** A few fields at a time: the test runs for as long as its files are. */
const whole = fc
  .subarray(Object.keys(machine) as (keyof typeof machine)[], { maxLength: 5 })
  .chain(keys => fc.record(Object.fromEntries(keys.map(key => [key, machine[key]])) as Machine as typeof machine));
export const choice = fc.tuple(whole, images).map(([one, image]) => ({ ...one, ...image }));
const choices = fc.array(choice, { minLength: 1, maxLength: 2 });
export const resources = fc.oneof(
  choice,
  fc.tuple(whole, gpus(3)).map(([one, accelerators]) => ({ ...one, accelerators })),
  // What is said of images for all hosts, and again for one choice, has another form in a file.
  fc.tuple(whole, choices).map(([one, anyOf]) => ({ ...one, anyOf })),
  fc.tuple(whole, choices).map(([one, ordered]) => ({ ...one, ordered })),
);
