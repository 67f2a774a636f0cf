/**
 * Files that would hurt whoever reads them: each is refused, and costs no more CPU than a file of ordinary size may cost.
 * Pure; the CPU is that of this process.
 */
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

const MOST_MS = 50;
const ROUNDS = 5;

/** The least of several, since other work of the process counts as well. */
function cost(act: () => void): number {
  act();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...rounds);
}

const times = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("");
const bomb = times(9, level => {
  const below = level === 0 ? "boom" : `*l${level - 1}`;
  return `k${level}: &l${level} [${Array(9).fill(below).join(",")}]\n`;
});

const hostile: readonly (readonly [name: string, text: string, path: string, message: string])[] = [
  ["a bomb of aliases", bomb, "", "an alias cannot be followed"],
  [
    "a map that merges itself many times over",
    `a: &a {x: 1}\n${times(101, i => `k${i}: {<<: *a}\n`)}`,
    "",
    "more than 100 aliases",
  ],
  ["20,000 lists in lists", "[".repeat(20_000), "", "nested deeper than 32 levels"],
  ["20,000 maps in maps", "{a: ".repeat(20_000), "", "nested deeper than 32 levels"],
  ["20,000 lists in lists, as lines", "- ".repeat(20_000), "", "nested deeper than 32 levels"],
  ["20,000 questions", "? ".repeat(20_000), "", "nested deeper than 32 levels"],
  ["maps in maps, as lines", times(700, i => `${" ".repeat(i)}a:\n`), "", "nested deeper than 32 levels"],
  ["100 MB", "x".repeat(100_000_000), "", "a task file has 256 KB at most"],
  ["30,000 keys", times(20_000, i => `a${i}: 1\n`), "", "has more in it than any task file"],
  ["60,000 items", `a:\n${"- b\n".repeat(60_000)}`, "", "has more in it than any task file"],
  ["130,000 empty lines", `a:\n${" \n".repeat(130_000)}`, "", "has more in it than any task file"],
  ["25,000 documents", "---\na: 1\n".repeat(25_000), "", "has more than 100 documents"],
  ["2,000 documents", "---\na: 1\n".repeat(2000), "", "has more than 100 documents"],
  ["an object of Python's", "run: x\nname: !!python/object/apply:os.system [id]\n", "name", "are not read"],
  [
    "the machinery of objects",
    "envs: { __proto__: { polluted: 1 } }\n",
    "envs.__proto__",
    "is not a name that may be used",
  ],
  ["the constructor of objects", "constructor: { prototype: { polluted: 1 } }\n", "constructor", "is not a key"],
  [
    "a way out of the folder",
    "file_mounts: { /data/../../etc/passwd: x }\n",
    "file_mounts./data/../../etc/passwd",
    "must not have '..' in it",
  ],
  ["somebody else's home", "file_mounts: { ~root/.ssh: x }\n", "file_mounts.~root/.ssh", "no other user's home"],
  ["the loader's variable", "envs: { LD_PRELOAD: /tmp/x.so }\n", "envs.LD_PRELOAD", "export it in run instead"],
  ["the shell's variable, as a secret", "secrets: { BASH_ENV: x }\n", "secrets.BASH_ENV", "export it in run instead"],
  [
    "the shell's variable, to be given",
    "secrets: { PROMPT_COMMAND: }\n",
    "secrets.PROMPT_COMMAND",
    "export it in run instead",
  ],
  [
    "what Muster tells a job",
    "envs: { SKYPILOT_NODE_IPS: 10.0.0.1 }\n",
    "envs.SKYPILOT_NODE_IPS",
    "is set by Muster itself",
  ],
  [
    "text that grows",
    `envs: { A: ${"x".repeat(30_000)} }\nworkdir: ${"$A".repeat(50_000)}\n`,
    "workdir",
    "is longer than",
  ],
  [
    "many accelerators",
    `resources: { accelerators: [${times(2000, i => `a${i},`)}] }\n`,
    "resources.accelerators",
    "20 at most",
  ],
];

describe.each(hostile)("%s", (_name, text, path, message) => {
  test("is refused, with its path", () => {
    expect(problems(text)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: expect.stringContaining(path), message: expect.stringContaining(message) }),
      ]),
    );
    expect({}).not.toHaveProperty("polluted");
  });

  test(`costs less than ${MOST_MS} ms`, () => {
    expect(cost(() => problems(text))).toBeLessThan(MOST_MS);
  });
});

test("what costs that little is refused for its size, and a file of ordinary size is read", () => {
  const task = `envs:\n${times(500, i => `  A${i}: x\n`)}run: |\n${"  echo a line of some length, as scripts have them\n".repeat(3000)}`;
  expect(Object.keys(read(task).draft.task.envs)).toHaveLength(500);
});
