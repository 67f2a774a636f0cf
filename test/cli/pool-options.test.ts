/** What the options of `muster pool` mean. Pure. */

import { expect, test } from "vitest";
import { tellKept } from "../../packages/cli/src/inputs/kept.ts";
import { at, size } from "../../packages/cli/src/pool/set.ts";
import { origin } from "../../packages/cli/src/pool/shown.ts";

test("--at is a line of cron and a size, again and again", () => {
  const first = at("0 8 * * 1-5=5");
  expect(at("@daily = 0", first)).toEqual([
    { cron: "0 8 * * 1-5", size: 5 },
    { cron: "@daily", size: 0 },
  ]);
});

test.each(["0 8 * * *", "=3", "0 8 * * *=many", "0 8 * * *=101", ""])("--at '%s' is refused", text => {
  expect(() => at(text)).toThrow();
});

test("a size is from 0 to 100", () => {
  expect([size("0"), size("100")]).toEqual([0, 100]);
  for (const text of ["-1", "101", "two", "1.5"]) expect(() => size(text)).toThrow();
});

test("a launch says where its cluster is from", () => {
  const of = (state: string, ready: boolean) => origin({ name: "warm", ready }, { name: "mine", state } as never);
  expect([of("starting", true), of("booting", false), of("requested", false)]).toEqual([
    "From pool warm: mine.",
    "Pool warm has none ready: mine is still being prepared.",
    "Pool warm has none ready: mine is made for this.",
  ]);
});

test("files that clusters are prepared with are not kept for ever, and that is said", () => {
  const told = (inputs: object) => {
    const lines: string[] = [];
    tellKept({ note: line => void lines.push(line) }, { mounts: [], ...inputs } as never);
    return lines.length;
  };
  expect([told({}), told({ workdir: { url: "https://example.com/a.git" } })]).toEqual([0, 0]);
  expect([told({ workdir: { path: "." } }), told({ mounts: [{}] })]).toEqual([1, 1]);
});
