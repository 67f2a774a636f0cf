/** Images of the local provider, in folders of their own. Agents are stand-ins that only run. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ImageIntent } from "@muster/core/ports/provider.ts";
import { expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { intentFor, open, REF } from "./provider-support.ts";

const label = { name: "base", owner: "usr_ada", cluster: "c" };
const INTENT: ImageIntent = { ...REF, imageId: "img_1", generation: 1, hostId: `${REF.clusterId}-0`, label };
const saved = { id: "img_1", name: "base", provider: "local", ref: "img_1" };
const from = (clusterId: string) => ({ ...intentFor(clusterId), resources: { image: "muster:base", saved } });

/** A machine that is off, with this in its HOME. */
async function off(fill: (home: string, disk: string) => void = () => undefined) {
  const opened = open();
  const [id = ""] = await opened.launch();
  const disk = join(opened.folder, id);
  mkdirSync(join(disk, "home"), { recursive: true });
  fill(join(disk, "home"), disk);
  await opened.provider.stop(REF);
  return { ...opened, provider: opened.provider, images: `${opened.folder}-images` };
}

test("a machine must be off, and there; a second call finds what the first has made", async () => {
  const { provider } = open();
  expect(await code(provider.saveImage!(INTENT))).toBe("launch_failed");
  await provider.launch(intentFor(REF.clusterId));
  expect(await code(provider.saveImage!(INTENT))).toBe("busy");
  await provider.stop(REF);
  expect(await code(provider.saveImage!({ ...INTENT, generation: 2 }))).toBe("launch_failed");
  const [one, two] = await Promise.all([provider.saveImage!(INTENT), provider.saveImage!(INTENT)]);
  expect([one, two]).toEqual(Array(2).fill({ state: "complete", ref: "img_1" }));
  expect(await provider.images!()).toMatchObject([{ workspace: "local", imageId: "img_1", createdAt: 1 }]);
  expect(await provider.image!({ workspace: "elsewhere", imageId: "img_1" })).toBeUndefined();
  await provider.terminate((await provider.sweep()).map(machine => machine.machineId));
  expect(await provider.image!(INTENT)).toEqual(one);
});

test("files, folders and links come with their modes and times; what jobs were given as secrets does not", async () => {
  const then = new Date("2020-02-02T02:02:02Z");
  const { provider, folder } = await off((home, disk) => {
    mkdirSync(join(home, "closed"));
    mkdirSync(join(home, "real"));
    symlinkSync("real", join(home, "way"));
    symlinkSync(join(disk, "agent"), join(home, "inside"));
    for (const name of ["plain", "given", "closed/one", "real/key"]) writeFileSync(join(home, name), name);
    utimesSync(join(home, "plain"), then, then);
    chmodSync(join(home, "plain"), 0o4751);
    chmodSync(join(home, "closed"), 0o500);
    // One by its own path, and one by a way through a link.
    writeFileSync(join(disk, "agent", "handed"), `${home}/given\0${home}/way/key\0${home}/never\0`);
  });
  await provider.saveImage!(INTENT);
  const [{ machineId } = { machineId: "" }] = await provider.launch(from("clu_2"));
  const home = join(folder, machineId, "home");
  expect(readdirSync(home).toSorted()).toEqual(["closed", "plain", "real", "way"]);
  expect([readdirSync(join(home, "real")), readFileSync(join(home, "closed", "one"), "utf8")]).toEqual([
    [],
    "closed/one",
  ]);
  const { mode, mtimeMs } = statSync(join(home, "plain"));
  expect([mode & 0o7777, mtimeMs, statSync(join(home, "closed")).mode & 0o777]).toEqual([
    0o4751,
    then.getTime(),
    0o500,
  ]);
});

test("what is left of a copy that broke off is no image, and goes with the next one", async () => {
  const { provider, images } = await off();
  mkdirSync(join(images, "img_1.part", "home", "half"), { recursive: true });
  mkdirSync(join(images, "img_2"), { recursive: true });
  writeFileSync(join(images, "img_2", "image.json"), "{}");
  expect([await provider.images!(), await provider.image!(INTENT)]).toEqual([[], undefined]);
  await provider.saveImage!(INTENT);
  expect(readdirSync(images).toSorted()).toEqual(["img_1", "img_2"]);
  expect(existsSync(join(images, "img_1", "home", "half"))).toBe(false);
  await provider.deleteImage!(INTENT);
  await provider.deleteImage!(INTENT);
  expect(readdirSync(images)).toEqual(["img_2"]);
});

test("a machine of an image that is gone, or another workspace's, is not made", async () => {
  const { provider } = await off();
  expect(await code(provider.launch(from("clu_2")))).toBe("launch_failed");
  await provider.saveImage!(INTENT);
  expect(await code(provider.launch({ ...from("clu_2"), workspace: "elsewhere" }))).toBe("launch_failed");
  expect((await provider.sweep()).map(machine => machine.clusterId)).toEqual([REF.clusterId]);
  const [machine] = await provider.launch(from("clu_2"));
  expect(machine?.clusterId).toBe("clu_2");
});
