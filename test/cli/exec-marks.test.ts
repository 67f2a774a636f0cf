/** The script of commands, run by the bash of this machine, and its output read as the command line reads it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as Command from "@muster/core/job/command.ts";
import { NONCE, scriptOf } from "@muster/core/job/exec-script.ts";
import type { Info } from "@muster/core/job/job.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exitCodeOf, Results } from "../../packages/cli/src/exec/results.ts";
import { commandsOf } from "../../packages/cli/src/exec/words.ts";

const nonce = "0123456789abcdef0123456789abcdef";
const place = { attempt: 1, fence: 1, rank: 0, sequence: 0, phase: "run", size: 0, at: 0, url: "" };

function run(asked: Parameters<typeof Command.Create.parse>[0], env: Record<string, string> = {}) {
  const script = scriptOf(Command.Create.parse(asked));
  const { stdout, status } = spawnSync("bash", ["-c", script], { env: { ...process.env, ...env, [NONCE]: nonce } });
  return { bytes: stdout, status };
}

async function resultsOf(bytes: Uint8Array, cuts: readonly number[] = []) {
  const results = new Results({ ranks: [3], commands: 1, nonce });
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, from] of places.entries()) await results.write(place, bytes.subarray(from, places[index + 1]));
  await results.end();
  return results.all();
}

describe("what commands have printed", () => {
  const bit = fc.oneof(
    fc.constantFrom("\n", "\n=", "\n=muster ", `\n=muster ${nonce.slice(0, -1)}`, "=muster 0 end 0 0\n", "end", " "),
    fc.string({ unit: "binary", maxLength: 5 }),
  );
  const text = fc.array(bit, { maxLength: 6 }).map(bits => bits.join("").replaceAll("\0", "").toWellFormed());

  test("comes back whatever it is, and wherever the log is cut", async () => {
    const outputs = fc.array(fc.record({ text, code: fc.integer({ min: 0, max: 255 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    const mark = (words: string) => `\n=muster ${nonce} ${words}\n`;
    await fc.assert(
      fc.asyncProperty(outputs, fc.array(fc.nat(), { maxLength: 12 }), async (all, cuts) => {
        const log = all
          .map(({ text, code }, at) => `${mark(`begin ${at}`)}${text}${mark(`end ${at} ${code}`)}`)
          .join("");
        expect(await resultsOf(Buffer.from(`noise of a profile${log}`), cuts)).toEqual(
          all.map(({ text, code }, command) => ({ rank: 3, command, exitCode: code, output: text })),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test("of one that does not come to its end is told as far as it came", async () => {
    expect(await resultsOf(Buffer.from(`\n=muster ${nonce} begin 0\nso far\n=muster 01`))).toEqual([
      { rank: 3, command: 0, exitCode: null, output: "so far\n=muster 01" },
    ]);
  });
});

describe("the script", () => {
  test("runs every command in a process of its own, from the home, and ends with the first code that is not 0", async () => {
    const { bytes, status } = run(
      { commands: ["X=1; exit 3", 'echo "$X|$PWD"', "kill -9 $$", "cat; exit 5"] },
      { HOME: "/tmp" },
    );
    expect(await resultsOf(bytes)).toMatchObject([
      { exitCode: 3, output: "" },
      { exitCode: 0, output: "|/tmp\n" },
      { exitCode: 137 },
      { exitCode: 5, output: "" },
    ]);
    expect(status).toBe(3);
    const fast = run({ commands: ["true", "exit 4", "true"], failFast: true });
    expect((await resultsOf(fast.bytes)).map(({ exitCode }) => exitCode)).toEqual([0, 4]);
    expect(fast.status).toBe(4);
  });

  test("tells commands nothing of what it marks its log with, and leaves nothing behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "exec-"));
    const { bytes } = run({ commands: ["env; set"] }, { TMPDIR: folder });
    const [first] = await resultsOf(bytes);
    expect(first?.output).not.toContain(nonce);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test("is the same for the same commands, and another for others", () => {
    const of = (asked: object) => scriptOf(Command.Create.parse({ commands: ["a"], ...asked }));
    expect(of({})).toBe(of({}));
    const all = [
      of({}),
      of({ language: "python" }),
      of({ failFast: true }),
      of({ commands: ["a", "b"] }),
      of({ commands: ["b"] }),
    ];
    expect(new Set(all).size).toBe(5);
  });
});

test("one word is for the shell, several are a program's, and each may be a command", () => {
  expect(commandsOf(["a | b"], "shell", false)).toEqual(["a | b"]);
  expect(commandsOf(["printf", "%s", "a b", "it's", ""], "shell", false)).toEqual([`printf %s 'a b' 'it'\\''s' ''`]);
  expect(commandsOf(["a", "b"], "python", true)).toEqual(["a", "b"]);
  expect(() => commandsOf(["a", "b"], "python", false)).toThrow("one word");
});

test("the first code that is not 0 is the command line's; else what the job has come to", () => {
  const of = (...codes: (number | null)[]) =>
    codes.map((exitCode, rank) => ({ rank, command: 0, exitCode, output: "" }));
  const job = (state: Info["state"]) => ({ state }) as Info;
  expect(exitCodeOf(of(0, 7, 5), job("failed"))).toBe(7);
  expect(exitCodeOf(of(0, 0), job("succeeded"))).toBe(0);
  expect(exitCodeOf(of(null, 5), job("timed_out"))).toBe(5);
  expect(exitCodeOf(of(0, null), job("timed_out"))).toBe(124);
  expect(exitCodeOf([], job("cancelled"))).toBe(130);
});
