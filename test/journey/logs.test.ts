/**
 * Journeys of logs: client → local HTTP server → real agents → real processes, all on this machine; read by the CLI's own
 * follower.
 */
import { join } from "node:path";
import { client } from "@muster/api/client.ts";
import { grant } from "@muster/core/token/create.ts";
import { openControlPlane } from "@muster/local/run/control-plane.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Chunk, follow, readChunk, type Told } from "../../packages/cli/src/follow.ts";
import { clearHome, ended, type InProcess, launch, newHome, openPlane, type Plane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

interface Heard {
  readonly chunks: { readonly attempt: number; readonly phase: string; readonly text: string }[];
  readonly lines: Told[];
}

/** Follows a job's log to its end. */
async function heard({ api }: Plane, job: string, query: object = {}): Promise<Heard> {
  const got: Heard = { chunks: [], lines: [] };
  const page = (cursor: string | undefined) =>
    api.jobs.logs({ params: { job }, query: { follow: "true", ...query, ...(cursor !== undefined && { cursor }) } });
  const write = async ({ attempt, phase }: Chunk, bytes: Uint8Array) =>
    void got.chunks.push({ attempt, phase, text: String(Buffer.from(bytes)) });
  const tell = async (line: Told) => void got.lines.push(line);
  await follow({ page, read: readChunk }, { write, tell }, { follow: true });
  return got;
}

/** The text of each try and phase. */
const texts = ({ chunks }: Heard): Record<string, string> => {
  const all: Record<string, string> = {};
  for (const { attempt, phase, text } of chunks) all[`${attempt} ${phase}`] = (all[`${attempt} ${phase}`] ?? "") + text;
  return all;
};

test("a follower of a job that is tried again hears both tries to their ends, and what was between them", async () => {
  const run = 'n=$(cat ~/n || echo 0); echo $((n + 1)) > ~/n; echo "run $n"; sleep 0.3; echo "end $n"; exit $((1 - n))';
  const retry = { max: 1, on: ["exit_code" as const], backoff: 0 };
  const job = await launch(plane, "one", { setup: "echo prepared", run: `exec 2>/dev/null; ${run}`, retry });
  const all = await heard(plane, job.id);
  expect(texts(all)).toEqual({
    "1 setup": "prepared\n",
    "1 run": "run 0\nend 0\n",
    "2 run": "run 1\nend 1\n",
  });
  const first = all.lines.filter(line => line.attempt === 1).map(line => line.text);
  expect(first.some(text => / cluster one requested\n$/.test(text))).toBe(true);
  expect(first.at(-1)).toMatch(/ job job_\w+ starting\n$/);
  const second = all.lines.filter(line => line.attempt === 2).map(line => line.text);
  expect(second[0]).toMatch(/ job job_\w+ recovering/);
  expect(second.at(-1)).toMatch(/ job job_\w+ starting\n$/);
  expect(all.lines.map(line => `${line.attempt} ${line.sequence}`)).toEqual([
    ...first.map((_, index) => `1 ${index}`),
    ...second.map((_, index) => `2 ${index}`),
  ]);
  // Afterwards: the latest try, an older one, and parts of them.
  expect(texts(await heard(plane, job.id))).toEqual({ "2 run": "run 1\nend 1\n" });
  expect(texts(await heard(plane, job.id, { attempt: 1, phase: "setup" }))).toEqual({ "1 setup": "prepared\n" });
  await plane.api.clusters.remove({ params: { cluster: "one" } });
  await until("the cluster to be gone", async () => {
    const { items } = await plane.api.clusters.list();
    return items.every(({ name }) => name !== "one");
  });
  const { text, nextOffset, status } = await plane.api.jobs.text({ params: { job: job.id }, query: { offset: 4 } });
  expect([text, nextOffset, status]).toEqual(["1\nend 1\n", 12, "completed"]);
  const before = await heard(plane, job.id, { attempt: 1, phase: "provision" });
  expect(before.lines.map(line => line.text)).toEqual(first);
});

test("while no host is up, the log tells of the cluster, until its job is cancelled", async () => {
  const home = newHome();
  // Machines on which no agent ever calls.
  const agent = [process.execPath, "-e", "setInterval(() => {}, 1e6)", "--", "__agent"] as const;
  const log = { info: () => undefined, error: () => undefined };
  const silent = await openControlPlane({ home: join(home), agent: [...agent], log });
  try {
    const { token } = await grant(silent.world, { workspace: "local", actor: "usr_ada", role: "admin" });
    const api = client({ endpoint: silent.url, token, version: "test" });
    const mine: Plane = { api, home, url: silent.url, token };
    const job = await launch(mine, "slow", { run: "echo never" });
    const followed = heard(mine, job.id);
    await until("the machines to be launched", async () => {
      const { provision } = await api.jobs.logs({ params: { job: job.id } });
      return provision.some(line => line.text.includes("cluster slow launching"));
    });
    await api.jobs.cancel({ params: { job: job.id } });
    expect(await ended(mine, job)).toMatchObject({ state: "cancelled" });
    const { lines, chunks } = await followed;
    expect(chunks).toEqual([]);
    const kinds = lines.map(line => line.text.split(" ").slice(1).join(" ").split(":")[0]?.trim());
    expect(kinds).toEqual(
      expect.arrayContaining(["cluster slow requested", "cluster slow launching", `job ${job.id} cancelled`]),
    );
    expect(new Set(lines.map(line => line.sequence)).size).toBe(lines.length);
    expect((await heard(mine, job.id)).lines.map(line => line.text)).toEqual(lines.map(line => line.text));
  } finally {
    await silent.close();
    clearHome(home);
  }
});
