/** What a hunt came to, in words. */
import { type Covered, covered } from "./coverage.ts";
import type { Sum } from "./hunt.ts";
import type { Mix } from "./mixes.ts";
import type { Smaller } from "./shrink.ts";

export const progress =
  (count: number) =>
  (sum: Sum): void => {
    process.stderr.write(`\r\u001b[K${sum.runs} of ${count} seeds, ${sum.failures.length} with violations`);
  };

export function summary(sum: Sum, seconds: number): string {
  const faults = covered(sum);
  const width = Math.max(...faults.map(({ fault }) => fault.length));
  return [
    `${sum.runs} seeds, ${sum.events} events, ${Math.round(sum.minutes / 60)} virtual hours in ${seconds.toFixed(1)} s: ` +
      `${(sum.runs / seconds).toFixed(1)} seeds/s`,
    `all traces: ${sum.hash}`,
    "faults hit:",
    ...faults.map(({ fault, hits, stands }) => `  ${fault.padEnd(width)} ${String(hits).padStart(8)}  ${stands}`),
    `came to: ${Object.entries(sum.nouns)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ")}`,
    `violations: ${sum.failures.length}`,
  ].join("\n");
}

export const failureLines = (sum: Sum, steps: number): string[] =>
  sum.failures.flatMap(({ seed, violations }) => [
    `seed ${seed}: ${violations.map(violation => `${violation.invariant} ${violation.message}`).join("\n  ")}`,
    `  again: ${command(seed, steps)}`,
  ]);

/** Faults that came too seldom to say anything about them. */
export const unmetLine = (missing: readonly Covered[]): string =>
  `hit less than once in 100 seeds: ${missing.map(({ fault, hits }) => `${fault} (${hits})`).join(", ")}`;

export function bugLine(bug: string, sum: Sum, steps: number, mix?: Mix): string {
  const first = sum.failures[0];
  const [violation] = first?.violations ?? [];
  const found = first && violation ? `${violation.invariant} seed ${first.seed}` : `NOT FOUND in ${sum.runs} seeds`;
  const again = first ? `${command(first.seed, steps)}${mix ? ` --mix ${mix}` : ""} --bug ${bug}` : "";
  return `${bug.padEnd(42)} ${found.padEnd(16)} ${again}`;
}

/** The least run of a seed that still fails, and the one command that shows it. */
export function smallerLine(seed: number, { steps, without, violations }: Smaller): string {
  const less = without.length > 0 ? ` --without ${without.join(",")}` : "";
  const what = violations.map(one => `${one.invariant} ${one.message}`).join("\n  ");
  return `seed ${seed}, smaller: ${what}\n  again: ${command(seed, steps)}${less}`;
}

const command = (seed: number, steps: number): string =>
  `node test/simulation/main.ts --seed ${seed} --steps ${steps} --trace`;
