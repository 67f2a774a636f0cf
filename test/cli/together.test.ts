/** The logs of tasks that run at the same time, as lines of one log. Pure. */
import { expect, test } from "vitest";
import { named } from "../../packages/cli/src/pipeline/together.ts";

function opened(name: string, shown: string[] = []) {
  const target = {
    terminal: false,
    bytes: async (chunk: Uint8Array) => void shown.push(Buffer.from(chunk).toString()),
  };
  return { lines: named(target, name), shown };
}

test("each line has the task's name, and none is shown before it is whole", async () => {
  const { lines, shown } = opened("a");
  for (const text of ["one\ntw", "o", "\n\nthr"]) await lines.bytes(Buffer.from(text));
  expect(shown).toEqual(["(a) one\n", "(a) two\n(a) \n"]);
  await lines.rest();
  await lines.rest();
  expect(shown.slice(2)).toEqual(["(a) thr\n"]);
});

test("two of them do not break each other's lines", async () => {
  const shown: string[] = [];
  const [a, b] = [opened("a", shown).lines, opened("b", shown).lines];
  await a.bytes(Buffer.from("x"));
  await b.bytes(Buffer.from("y\n"));
  await a.bytes(Buffer.from("x\n"));
  expect(shown.join("")).toBe("(b) y\n(a) xx\n");
});
