/** Secrets in logs: the masking alone, against a slow and plain one of ours; and whole, with a control plane of our own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { Mask, maskOf } from "../../packages/agent/src/logs/mask.ts";
import { Bench, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "ma-mask-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each byte on its own: hidden when some find covers it; a run of hidden ones is three stars. */
function plainly(bytes: Buffer, patterns: readonly string[]): Buffer {
  const hidden = new Set<number>();
  for (const pattern of patterns.map(one => Buffer.from(one)))
    for (let at = 0; at + pattern.length <= bytes.length; at++)
      if (bytes.subarray(at, at + pattern.length).equals(pattern))
        for (let index = at; index < at + pattern.length; index++) hidden.add(index);
  return Buffer.concat(
    [...bytes].map((byte, index) => {
      if (!hidden.has(index)) return Buffer.of(byte);
      return Buffer.from(hidden.has(index - 1) ? "" : "***");
    }),
  );
}

const letters = (maxLength: number, minLength = 0) =>
  fc.array(fc.constantFrom("a", "b", "é", "ab", "aba"), { minLength, maxLength }).map(parts => parts.join(""));
const pattern = letters(6, 4).filter(text => text.length >= 4);

test("what is hidden is what a plain search hides, wherever the chunks are cut and while the file grows", () => {
  const path = join(folder, "grows");
  fc.assert(
    fc.property(
      fc.array(letters(12), { maxLength: 12 }),
      fc.array(pattern, { maxLength: 4 }),
      fc.array(fc.nat(20), { maxLength: 12 }),
      (writes, patterns, cuts) => {
        const mask = new Mask(patterns);
        const whole = Buffer.from(writes.join(""));
        const sent: { from: number; to: number; bytes: Buffer }[] = [];
        let offset = 0;
        const ship = (to: number): void => {
          if (to > offset) sent.push({ from: offset, to, bytes: mask.read(path, offset, to) });
          offset = Math.max(to, offset);
        };
        let size = 0;
        for (const [index, text] of writes.entries()) {
          size += Buffer.byteLength(text);
          writeFileSync(path, whole.subarray(0, size));
          ship(Math.min(offset + (cuts[index] ?? 50), mask.known(path, size)));
        }
        ship(whole.length);
        expect(Buffer.concat(sent.map(chunk => chunk.bytes)).equals(plainly(whole, patterns))).toBe(true);
        // Sent again later, when there is more behind it.
        for (const { from, to, bytes } of sent) expect(mask.read(path, from, to).equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

test("a secret right behind another, in the next chunk, is part of the same stars", () => {
  const path = join(folder, "touch");
  writeFileSync(path, "x abcdabcd y");
  const mask = new Mask(["abcd"]);
  expect(mask.read(path, 0, 6).toString()).toBe("x ***");
  expect(mask.read(path, 6, 12).toString()).toBe(" y");
});

test("nothing is held back that cannot become a secret, and nothing becomes longer", () => {
  const path = join(folder, "tail");
  const mask = new Mask(["secret", "tea-pot"]);
  for (const [text, known] of [
    ["a line\n", 7],
    ["a prompt: ", 10],
    ["progress 3 %\rse", 13],
    ["progress secre", 9],
    ["the secrets te", 12],
    ["the secret", 9],
    ["the secret.", 11],
    ["", 0],
  ] as const) {
    writeFileSync(path, text);
    expect(mask.known(path, text.length), text).toBe(known);
  }
  expect(mask.text("no secretsecret, tea-po")).toBe("no ***, tea-po");
});

test("the lines of a value are looked for each on its own, without the spaces around them, and short ones not at all", () => {
  const mask = maskOf({
    secretNames: ["KEY", "SHORT", "LINES", "GONE"],
    env: { KEY: "  spaced  ", SHORT: "abc", LINES: "first line\r\nab\n\nthird", OTHER: "open value" },
    secretFiles: [{ path: "~/f", content: Buffer.from("short\nlonger line\n").toString("base64") }],
  } as unknown as Parameters<typeof maskOf>[0]);
  expect(mask.text("spaced abc first line ab third open value short longer line")).toBe(
    "*** abc *** ab *** open value short ***",
  );
});

test("a million short lines with five secrets among them are hidden at fifty megabytes a second or more", () => {
  const path = join(folder, "many");
  const secrets = Array.from({ length: 5 }, (_, index) => `s3cret-value-number-${index}`);
  const lines = Array.from({ length: 1_000_000 }, (_, index) =>
    index % 10 === 0 ? `step ${index} uses ${secrets[index % 5]}\n` : `step ${index} loss ${index / 7}\n`,
  );
  const bytes = Buffer.from(lines.join(""));
  writeFileSync(path, bytes);
  const mask = new Mask(secrets);
  const chunk = 4 * 1024 * 1024;
  // Of a processor's time: the machine is shared, and the clock on the wall tells of the others too.
  const rate = (): number => {
    const began = process.threadCpuUsage();
    for (let from = 0; from < bytes.length; from += chunk) mask.read(path, from, Math.min(bytes.length, from + chunk));
    const { user, system } = process.threadCpuUsage(began);
    return bytes.length / (user + system);
  };
  const best = Math.max(rate(), rate(), rate());
  expect(best).toBeGreaterThan(50);
  expect(mask.read(path, 0, bytes.length).includes("s3cret")).toBe(false);
});

test.concurrent("no chunk shows a secret that a job prints, however it prints it, across a crash of the agent too", async () => {
  await using bench = await Bench.open();
  const key = "-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----";
  const run = `echo "token $TOKEN!"
printf '%s' "\${TOKEN:0:5}"; until [ -e ~/go ]; do sleep 0.02; done; printf '%s\\n' "\${TOKEN:5}"
printf '%s' "$KEY"; echo
echo $KEY
printf '\\377\\000%s\\377' "$TOKEN"
for i in $(seq 20000); do printf %s "$TOKEN"; done; echo; printf end`;
  bench.plane.assign("job_a", {
    env: { TOKEN: "tok-s3cret", KEY: key },
    secretNames: ["TOKEN", "KEY"],
    setup: "echo $TOKEN; printf tok-",
    run,
    logs: bench.plane.policy("job_a", 1, { maxBytes: 10_007 }),
  });
  bench.plane.held = [{ jobId: "job_a", fence: 1, followUntil: Date.now() + 600_000 }];
  const first = await bench.agent();
  await until("the first line", () => bench.plane.log("job_a", "run").includes("token ***!"));
  await murder(first);
  bench.write("go");
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0, logsComplete: true });
  const log = Buffer.concat(bench.plane.chunks("job_a").map(chunk => chunk.bytes)).toString("latin1");
  expect(log).not.toMatch(/s3cret|tok-s|KEY---|abcdefgh|mnopqrst/);
  const lines = "***\n".repeat(4);
  const shown = `token ***!\n***\n${lines}*** *** *** ***\n\xff\0***\xff***\nend`;
  expect(log).toBe(`***\ntok-${shown}`);
  for (const versions of bench.plane.uploads.values())
    expect(new Set(versions.map(version => version.toString("latin1"))).size).toBe(1);
});

test.concurrent("what only could have been a secret arrives when nothing more comes", async () => {
  await using bench = await Bench.open();
  const open = { env: { TOKEN: "tok-s3cret" }, secretNames: ["TOKEN"] };
  bench.plane.assign("job_a", { ...open, run: "printf tok-; until [ -e ~/go ]; do sleep 0.02; done" });
  bench.plane.assign("job_b", { run: "printf tok-; until [ -e ~/go ]; do sleep 0.02; done" });
  await bench.agent();
  await until("what is no secret", () => bench.plane.log("job_b") === "tok-");
  expect(bench.plane.log("job_a")).toBe("");
  bench.write("go");
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("tok-");
});
