/** Ran against: the whole control plane on this machine, with real agents and real processes; hosts' folders are looked into. */
import { existsSync, globSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Task } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, launch, logOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const VALUE = "correct horse battery staple";

/** The disk of a cluster's first machine. */
function diskOf(clusterId: string): string {
  const machines = join(plane.home, "machines");
  const found = readdirSync(machines).find(machine => {
    const record = JSON.parse(readFileSync(join(machines, machine, "machine.json"), "utf8"));
    return record.clusterId === clusterId && record.rank === 0;
  });
  return join(machines, found ?? "");
}

const holding = (folder: string): string[] =>
  globSync("**", { cwd: folder, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => readFileSync(path).includes(VALUE));

async function stopped(cluster: string): Promise<void> {
  await plane.api.clusters.stop({ params: { cluster } });
  await until(
    "the cluster to stop",
    async () => (await plane.api.clusters.get({ params: { cluster } })).state === "stopped",
  );
}

async function savedAs(cluster: string, name: string) {
  const { id } = await plane.api.images.save({ body: { cluster, name } });
  return until("the image", async () => {
    const image = await plane.api.images.get({ params: { image: id } });
    if (image.state === "failed") throw new Error(image.failure?.message);
    return image.state === "ready" && image;
  });
}

test("a cluster made from an image has what jobs left in HOME, and is a host of its own", async () => {
  const first = await launch(plane, "first", {
    secretFiles: { "~/keys/deep/token": Buffer.from(VALUE).toString("base64") },
    secrets: { PHRASE: VALUE },
    run: [
      "mkdir -p ~/tools/bin && echo 'echo from the image' >~/tools/bin/say && chmod 750 ~/tools/bin/say",
      "ln -s ~/tools/bin/say ~/say && ln -s /etc/hostname ~/outside && ln -s tools ~/near",
      "mkfifo ~/pipe && chmod 500 ~/tools && test -s ~/keys/deep/token",
    ].join("\n"),
  });
  expect(await ended(plane, first)).toMatchObject({ state: "succeeded" });
  const oldDisk = diskOf(first.clusterId);
  expect(holding(join(oldDisk, "home"))).toHaveLength(1);
  await stopped("first");
  const image = await savedAs("first", "base");
  expect(image).toMatchObject({ provider: "local", cluster: "first", instanceType: "local" });
  expect(holding(join(plane.home, "images"))).toEqual([]);

  const second = await launch(plane, "second", {
    resources: { image: "muster:BASE" },
    run: "~/say; ls ~; stat -c %a ~/tools ~/tools/bin/say; readlink ~/outside ~/near; ls -A ~/keys/deep",
  });
  expect(await ended(plane, second)).toMatchObject({ state: "succeeded" });
  const said = (await logOf(plane, second)).split("\n");
  expect(said).toEqual(expect.arrayContaining(["from the image", "500", "750", "/etc/hostname", "tools"]));
  expect(said).not.toEqual(expect.arrayContaining(["pipe"]));
  expect(said).not.toEqual(expect.arrayContaining(["token"]));

  const newDisk = diskOf(second.clusterId);
  const identity = (disk: string) => JSON.parse(readFileSync(join(disk, "agent", "host.json"), "utf8"));
  expect(identity(newDisk).hostId).toContain(second.clusterId.slice(4));
  expect(identity(newDisk).hostToken).not.toBe(identity(oldDisk).hostToken);
  expect(readlinkSync(join(newDisk, "home", "say"))).toBe(join(newDisk, "home", "tools", "bin", "say"));
  expect(holding(newDisk)).toEqual([]);
  expect(readdirSync(join(newDisk, "agent", "attempts")).filter(name => name.includes(first.id))).toEqual([]);

  // The cluster that it was saved of goes on as it was.
  await plane.api.clusters.start({ params: { cluster: "first" } });
  await until(
    "it to be ready",
    async () => (await plane.api.clusters.get({ params: { cluster: "first" } })).state === "ready",
  );
  expect(holding(join(oldDisk, "home"))).toHaveLength(1);
});

test("an image that was removed is gone from the disk, and what names it is refused", async () => {
  const base = join(plane.home, "images");
  const [id = ""] = readdirSync(base);
  await plane.api.images.remove({ params: { image: "base" } });
  await until("the folder to be gone", () => !existsSync(join(base, id)));
  const request = { task: Task.parse({ run: "true", resources: { image: "muster:base" } }), cluster: "third" };
  await expect(plane.api.launches.create({ body: request })).rejects.toMatchObject({ code: "not_found" });
  expect(plane.errors).toEqual([]);
});
