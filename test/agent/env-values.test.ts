/**
 * Five thousand values of variables, byte for byte: written as YAML, read as a task file, and seen by the scripts of real
 * jobs in real bash. The control plane between the two is a server of our own, so what the API does to them is not tested.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { read } from "../../packages/task/src/read.ts";
import { Bench } from "./support/bench.ts";

const VALUES = 5_000;
const PER_JOB = 500;

/** All that can stand in a variable: no NUL, and no half of a pair of surrogates. */
const unit = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(..."\n\r\t '\"`$\\!*?;&|<>(){}[]#~=%^@:,-") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("$(id)", "$HOME", "$" + "{x}", "\\n", "%s", "'\\''", "\n\n", "---\n", "EOF"),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 0x7f }).map(code => String.fromCodePoint(code)) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).filter(char => char !== "\0") },
);
const short = fc.array(unit, { maxLength: 12 }).map(units => units.join(""));
const long = fc
  .tuple(short, fc.integer({ min: 1_000, max: 32_000 }))
  .map(([text, length]) => (text || " ").repeat(length).slice(0, length).toWellFormed().replaceAll("\uFFFD", "?"));
const value = fc.oneof({ weight: 199, arbitrary: short }, { weight: 1, arbitrary: long });

const values = fc.sample(value, VALUES);
const nameOf = (index: number): string => `V_${index}`;

const parts = Array.from({ length: VALUES / PER_JOB }, (_, part) =>
  values.slice(part * PER_JOB, (part + 1) * PER_JOB).map((text, index) => [nameOf(index), text] as const),
);

/** As JSON, which is YAML; what JSON lets stand as it is and YAML does not is written as an escape. */
const yamlOf = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, char => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });

function environmentOf(part: (typeof parts)[number]): Record<string, string> {
  const lines = part.map(([name, text]) => `  ${name}: ${yamlOf(text)}`);
  const result = read(`run: "true"\nenvs:\n${lines.join("\n")}\n`);
  return result.tasks[0]?.task.envs ?? {};
}

test("five thousand values arrive in bash as they were written in the file", async () => {
  await using bench = await Bench.open();
  const setup = (index: number): string => `env -0 >~/setup.${index}`;
  for (const [index, part] of parts.entries())
    bench.plane.assign(`job_${index}`, {
      env: environmentOf(part),
      onError: index % 2 === 0 ? "stop" : "continue",
      setup: setup(index),
      run: `env -0 >~/run.${index}`,
    });
  await bench.agent();
  for (const [index, part] of parts.entries()) {
    expect(await bench.exit(`job_${index}`, 1, 60_000)).toMatchObject({ exitCode: 0 });
    for (const phase of ["setup", "run"]) {
      const found = variablesOf(readFileSync(join(bench.home.jobs, `${phase}.${index}`)));
      // One of them is enough to see, and to try again.
      const wrong = part.find(([name, text]) => !found.get(name)?.equals(Buffer.from(text)));
      expect(wrong && [wrong[1], found.get(wrong[0])?.toString()]).toBeUndefined();
    }
  }
}, 90_000);

function variablesOf(bytes: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(0, from);
    const at = bytes.indexOf("=", from);
    found.set(bytes.subarray(from, at).toString(), bytes.subarray(at + 1, to));
    from = to + 1;
  }
  return found;
}
