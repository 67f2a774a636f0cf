/** Ran against: the local provider on real files, with agents of this test's own in processes of their own. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "@muster/local/file.ts";
import { expect, onTestFinished, test } from "vitest";
import { intentFor, isAlive, open, REF } from "./provider-support.ts";

const stateOf = (machines: readonly { readonly state: string }[]) => machines.map(({ state }) => state);

test("writers of one file side by side leave one text whole, and nothing beside it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mp-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "file");
  const texts = Array.from({ length: 50 }, (_, n) => String(n).repeat(2000 + 500 * n));
  for (let round = 0; round < 5; round++) {
    await Promise.all(texts.map(text => replaceFile(path, text)));
    expect(texts).toContain(readFileSync(path, "utf8"));
  }
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("a write that fails leaves nothing beside the file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mp-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "taken", "full"), { recursive: true });
  await expect(replaceFile(join(folder, "taken"), "x")).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(["taken"]);
});

test.each(["", '{"machineId":', "null", "{}"])("a record that reads %j hides no other machine", async text => {
  const { provider, mark, launch, logged, folder } = open();
  const [broken = ""] = await launch("clu_broken");
  const [whole = ""] = await launch();
  mark(broken, "machine.json", text);
  for (let round = 0; round < 3; round++) {
    expect((await provider.sweep()).map(machine => machine.machineId)).toEqual([whole]);
    await provider.tend();
  }
  expect(logged.filter(line => line.includes(broken))).toHaveLength(1);
  await provider.terminate([broken]);
  expect(readdirSync(folder)).toEqual([whole]);
});

test("a machine that has gone is told once; one whose record cannot be read is not gone", async () => {
  const { provider, mark, launch, folder } = open();
  const [broken = "", gone = ""] = [...(await launch("clu_broken")), ...(await launch())];
  expect(await provider.tend()).toEqual([]);
  mark(broken, "machine.json", "{}");
  rmSync(join(folder, gone), { recursive: true, maxRetries: 10 });
  expect(await provider.tend()).toEqual([gone]);
  expect(await provider.tend()).toEqual([]);
});

test("a machine that has gone before anybody looked is told, too", async () => {
  const { provider, launch, folder } = open();
  const [gone = ""] = await launch();
  rmSync(join(folder, gone), { recursive: true, maxRetries: 10 });
  expect(await provider.tend()).toEqual([gone]);
});

test("a machine has gone also where somebody who was just writing has made its folder anew, and nothing of it stays", async () => {
  const { provider, launch, folder } = open();
  const [gone = ""] = await launch();
  rmSync(join(folder, gone), { recursive: true, maxRetries: 10 });
  mkdirSync(join(folder, gone, "agent", "attempts", "job_a-1", "out"), { recursive: true });
  expect(await provider.tend()).toEqual([gone]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a machine whose record was broken is made anew by the launch that made it", async () => {
  const { provider, mark, launch, lives } = open();
  const [id = ""] = await launch();
  mark(id, "machine.json", "{");
  expect(await launch()).toEqual([id]);
  expect(stateOf(await provider.observe(REF))).toEqual(["running"]);
  expect(await lives(id)).toBe(true);
});

test("names that lead elsewhere are no machines", async () => {
  const { provider, folder } = open();
  writeFileSync(join(folder, "machine.json"), "broken");
  await provider.terminate(["..", ".", "", "a/../.."]);
  expect(readdirSync(folder)).toEqual(["machine.json"]);
});

test("stops, starts and ends of one machine at once all succeed, and its agent is as its record says", async () => {
  const { provider, launch, runs } = open();
  for (let round = 0; round < 4; round++) {
    const [id = ""] = await launch();
    await Promise.all([
      provider.stop(REF),
      provider.stop(REF),
      provider.start(REF),
      provider.tend(),
      provider.stop(REF),
    ]);
    const [state] = stateOf(await provider.observe(REF));
    // An agent that finds another one there leaves by itself, a little later.
    await expect.poll(() => runs(id).filter(isAlive).length).toBe(state === "running" ? 1 : 0);
    await Promise.all([provider.stop(REF), provider.stop(REF)]);
    expect([stateOf(await provider.observe(REF)), runs(id).filter(isAlive)]).toEqual([["stopped"], []]);
    await Promise.all([provider.start(REF), provider.terminate([id]), provider.tend(), provider.terminate([id])]);
    expect(await provider.observe(REF)).toEqual([]);
  }
});

test("a launch that comes again while its machine is ended makes it whole or leaves it ended", async () => {
  const { provider, launch, lives, folder } = open();
  for (let round = 0; round < 4; round++) {
    const [id = ""] = await launch();
    await Promise.all([provider.terminate([id]), provider.launch(intentFor(REF.clusterId)), provider.terminate([id])]);
    const [machine] = await provider.observe(REF);
    if (machine !== undefined) await expect.poll(() => lives(id)).toBe(true);
    await Promise.all([provider.terminate([id]), provider.terminate([id])]);
    expect(readdirSync(folder)).toEqual([]);
  }
});

test("an agent that is still on its way when its machine is stopped does not arrive", async () => {
  const { provider, launch, mark, runs } = open();
  const [id = ""] = await launch();
  await provider.stop(REF);
  mark(id, "boots-slowly");
  await provider.start(REF);
  await expect.poll(() => runs(id).length).toBe(2);
  await provider.stop(REF);
  expect(runs(id).filter(isAlive)).toEqual([]);
});

test("a machine that is just being stopped is not tended back to life", async () => {
  const { provider, launch, mark, runs } = open();
  const [id = ""] = await launch();
  mark(id, "stops-slowly");
  const stopped = provider.stop(REF);
  const rounds: Promise<unknown>[] = [];
  for (let round = 0; round < 20; round++) {
    rounds.push(provider.tend());
    await new Promise(setImmediate);
  }
  await Promise.all([stopped, ...rounds]);
  await provider.tend();
  expect(runs(id)).toHaveLength(1);
});

test("a machine that was stopped after a round had begun is not tended back to life", async () => {
  const { provider, launch, mark, runs } = open();
  await launch("clu_2");
  await launch();
  const [slow, other] = await provider.sweep();
  mark(slow?.machineId ?? "", "answers-slowly");
  const round = provider.tend();
  await provider.stop({ workspace: "local", clusterId: other?.clusterId ?? "" });
  await round;
  expect(runs(other?.machineId ?? "")).toHaveLength(1);
});

test("a slow stop of one machine keeps no other from being tended", async () => {
  const { provider, launch, mark, runs } = open();
  const [slow = ""] = await launch();
  const [other = ""] = await launch("clu_2");
  mark(slow, "stops-slowly");
  process.kill(runs(other)[0] ?? 0, "SIGKILL");
  await expect.poll(() => isAlive(runs(other)[0] ?? 0)).toBe(false);
  const order: string[] = [];
  const stopped = provider.stop(REF).then(() => order.push("stopped"));
  await provider.tend().then(() => order.push("tended"));
  await stopped;
  expect(order).toEqual(["tended", "stopped"]);
  await expect.poll(() => runs(other).length).toBe(2);
});

test("an agent that cannot be started keeps no other from being tended", async () => {
  const { provider, launch, folder, logged, runs } = open();
  const ids = await launch(REF.clusterId, 3);
  const [first = ""] = (await provider.sweep()).map(machine => machine.machineId);
  for (const id of ids) process.kill(runs(id)[0] ?? 0, "SIGKILL");
  await expect.poll(() => ids.some(id => isAlive(runs(id)[0] ?? 0))).toBe(false);
  rmSync(join(folder, first, "agent"), { recursive: true });
  writeFileSync(join(folder, first, "agent"), "in the way");
  await provider.tend();
  expect(logged.filter(line => line.includes(first))).toHaveLength(1);
  for (const id of ids.filter(each => each !== first)) await expect.poll(() => runs(id).length).toBe(2);
});

test("a stop or an end whose processes could not all be ended says so, and succeeds when it is asked again", async () => {
  const { provider, launch, mark, unmark } = open();
  const [id = ""] = await launch();
  const unavailable = expect.objectContaining({ code: "unavailable" });
  mark(id, "kill-fails");
  await expect(provider.stop(REF)).rejects.toEqual(unavailable);
  await expect(provider.terminate([id])).rejects.toEqual(unavailable);
  expect(stateOf(await provider.observe(REF))).toEqual(["terminating"]);
  await provider.start(REF);
  expect(stateOf(await provider.observe(REF))).toEqual(["terminating"]);
  unmark(id, "kill-fails");
  await provider.terminate([id]);
  expect(await provider.observe(REF)).toEqual([]);
});

test("the groups of a cluster count together against what one machine plays", async () => {
  const { provider } = open();
  await provider.launch(intentFor(REF.clusterId, 2));
  const more = { ...intentFor(REF.clusterId, 63), try: 2 };
  await expect(provider.launch(more)).rejects.toMatchObject({ code: "no_capacity" });
  expect(await provider.sweep()).toHaveLength(2);
});
