/** Where a log goes: text, JSON lines, files and folders. The CLI's own code over chunks made by hand. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { download } from "../../packages/cli/src/download.ts";
import type { Chunk } from "../../packages/cli/src/follow.ts";
import { betweenTries, type Ending, jsonSink, textSink } from "../../packages/cli/src/sinks.ts";
import { instant } from "../../packages/cli/src/time-option.ts";

type Piece = Partial<Pick<Chunk, "attempt" | "rank" | "phase" | "sequence">> & { text: string };

async function write(sink: Ending, pieces: readonly Piece[]): Promise<void> {
  for (const { text, ...piece } of pieces) {
    const chunk = {
      attempt: 1,
      fence: 1,
      rank: 0,
      sequence: 0,
      phase: "run",
      size: text.length,
      at: 5,
      url: "",
      ...piece,
    };
    await sink.write(chunk, Buffer.from(text));
  }
  await sink.end();
}

async function shown(pieces: readonly Piece[], { nodes = 1, terminal = false } = {}): Promise<string> {
  const parts: Uint8Array[] = [];
  const bytes = async (part: Uint8Array) => void parts.push(part);
  const sink = betweenTries(textSink({ bytes, terminal }, nodes), line => bytes(Buffer.from(`${line}\n`)));
  await write(sink, pieces);
  return Buffer.concat(parts).toString();
}

describe("text", () => {
  test("a line stands between two tries, and the first one's open line, colour and sequence are not the second's", async () => {
    const pieces = [{ text: "\u001b[31mone\u001b]0;t" }, { attempt: 2, text: "two\n" }];
    expect(await shown(pieces)).toBe("one\n── try 2: the job begins again ──\ntwo\n");
    expect(await shown(pieces, { terminal: true })).toBe(
      "\u001b[31mone\u001b[0m\n── try 2: the job begins again ──\ntwo\n",
    );
  });

  test("what is written at the same time stays apart: lines, sequences and characters", async () => {
    const pieces = [
      { text: "10 %\u001b[" },
      { text: "up\n", phase: "service-a" },
      { text: "31m 20 %\n" },
      { text: "end\n", phase: "muster" },
    ];
    expect(await shown(pieces)).toBe("10 %\nup\n 20 %\nend\n");
    expect(await shown(pieces, { nodes: 2 })).toBe(
      ["up", "10 % 20 %", "end"].map(line => `(rank 0) ${line}\n`).join(""),
    );
  });

  test("of several nodes, open lines are shown at the end of their try", async () => {
    const pieces = [{ text: "ze" }, { rank: 1, text: "one\n" }, { attempt: 3, text: "again\n" }];
    expect(await shown(pieces, { nodes: 2 })).toBe(
      "(rank 1) one\n(rank 0) ze\n── try 3: the job begins again ──\n(rank 0) again\n",
    );
  });
});

test("JSON lines say what each piece is, with characters whole", async () => {
  const lines: string[] = [];
  const sink = jsonSink(async line => void lines.push(line));
  const [first, second] = [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)];
  const chunk = { attempt: 2, fence: 4, rank: 1, sequence: 7, phase: "setup", size: 1, at: 5, url: "" };
  await sink.write(chunk, first);
  await sink.write({ ...chunk, sequence: 8 }, second);
  await sink.tell?.({ attempt: 3, sequence: 0, at: 9, text: "later\n" });
  const { url, size, ...said } = chunk;
  expect(lines.map(line => JSON.parse(line))).toEqual([
    { ...said, text: "" },
    { ...said, sequence: 8, text: "é" },
    { attempt: 3, sequence: 0, phase: "provision", at: 9, text: "later\n" },
  ]);
});

describe("a download", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "muster-download-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const line = { attempt: 1, sequence: 0, at: 1, text: "it was launched\n" };
  const pieces: Piece[] = [
    { phase: "setup", text: "\u001b[1mset up\u001b[0m\n" },
    { rank: 1, text: "one\n" },
    { text: "zero\n" },
    { attempt: 2, rank: 1, text: "again" },
    { attempt: 2, phase: "../../x", text: "odd\n" },
  ];

  test("into a folder is a file for each node and phase, and try but the first", async () => {
    const { into, written } = await download(folder, "logs/", 2, false);
    await into.tell?.(line);
    await write(into, pieces);
    const files = readdirSync(join(folder, "logs")).map(name => [
      name,
      readFileSync(join(folder, "logs", name), "utf8"),
    ]);
    expect(Object.fromEntries(files)).toEqual({
      "provision.log": "it was launched\n",
      "node-0.setup.log": "set up\n",
      "node-0.run.log": "zero\n",
      "node-1.run.log": "one\n",
      "node-1.run.try-2.log": "again",
      "node-0.other.try-2.log": "odd\n",
    });
    expect(written()).toBe("6 files in logs/");
  });

  test("what each service printed has a file of its own", async () => {
    const { into } = await download(folder, "logs/", 1, false);
    await write(
      into,
      ["service-a", "service-tensor-board2", "ray"].map(phase => ({ phase, text: `${phase}\n` })),
    );
    const names = ["node-0.ray.log", "node-0.service-a.log", "node-0.service-tensor-board2.log"];
    expect(readdirSync(join(folder, "logs")).toSorted()).toEqual(names);
  });

  test("into a folder that is there needs no slash; raw bytes are the job's own", async () => {
    mkdirSync(join(folder, "there"));
    const { into } = await download(folder, "there", 1, true);
    await write(into, pieces.slice(0, 1));
    expect(readFileSync(join(folder, "there", "node-0.setup.log"), "utf8")).toBe(pieces[0]?.text);
  });

  test("into a file is all of it, with the tries apart; an empty log is an empty file", async () => {
    const { into, written } = await download(folder, "all.log", 2, false);
    await write(into, pieces.slice(1, 4));
    const text = "(rank 1) one\n(rank 0) zero\n── try 2: the job begins again ──\n(rank 1) again\n";
    expect(readFileSync(join(folder, "all.log"), "utf8")).toBe(text);
    expect(written()).toBe(`${Buffer.byteLength(text)} bytes in all.log`);
    await write((await download(folder, "none.log", 1, false)).into, []);
    expect(readFileSync(join(folder, "none.log"), "utf8")).toBe("");
  });

  test("a place that cannot be written is told before anything is read", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(download(folder, "none/all.log", 1, false)).rejects.toThrow("its folder is not there");
    await expect(download(folder, "file/", 1, false)).rejects.toThrow("cannot make the folder");
  });
});

test.each([
  ["90", 1_000_000 - 90_000],
  ["10m", 1_000_000 - 600_000],
  ["1d", 1_000_000 - 86_400_000],
  ["2026-01-31T12:00Z", Date.UTC(2026, 0, 31, 12)],
  ["2026-01-31T12:00:05.5+01:00", Date.UTC(2026, 0, 31, 11, 0, 5, 500)],
])("a moment can be written as %s", (given, at) => expect(instant(given, 1_000_000)).toBe(at));

test.each(["", "-5m", "yesterday", "5 m", "2026-13-01", "1e3"])("'%s' is no moment", given =>
  expect(() => instant(given)).toThrow(),
);
