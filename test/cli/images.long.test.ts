/** Ran against: the command line in processes of its own, with the embedded control plane, real agents and real processes. */
import { expect, test } from "vitest";
import { Home } from "./support/muster.ts";

test("a cluster's disk is saved, others start from it, and it is removed", async () => {
  await using home = new Home();
  const launch = (name: string, run: string, ...more: string[]) =>
    home.run("launch", "-c", name, "--run", run, "-y", ...more);
  expect(await launch("one", "echo kept >~/note")).toMatchObject({ code: 0 });
  const early = await home.run("image", "save", "one");
  expect([early.code, early.err]).toEqual([123, expect.stringContaining("muster stop one")]);
  expect(await home.run("stop", "one", "-y")).toMatchObject({ code: 0 });

  const saved = await home.run("image", "save", "one", "--name", "base");
  expect(saved).toMatchObject({ code: 0, out: "base\n" });
  expect(saved.err).toContain("--image base");
  const again = await home.run("image", "save", "one", "--name", "BASE");
  expect([again.code, again.err]).toEqual([123, expect.stringContaining("muster image remove base")]);
  const listed = await home.run("image", "list", "--json");
  expect(JSON.parse(listed.out)).toMatchObject([{ name: "base", state: "ready", cluster: "one", provider: "local" }]);
  expect((await home.run("image", "list")).out).toMatch(/IMAGE +STATE .*\nbase +ready +one +local/);

  const detached = await home.run("image", "save", "one", "--name", "other", "-d", "--json");
  expect(JSON.parse(detached.out)).toMatchObject({ name: "other", state: "saving" });

  const used = await launch("two", "cat ~/note", "--image", "base");
  expect([used.code, used.out]).toEqual([0, expect.stringContaining("kept")]);
  const none = await launch("three", "true", "--image", "bsae");
  expect([none.code, none.err]).toEqual([122, expect.stringContaining("did you mean 'base'?")]);
  const foreign = await launch("three", "true", "--image", "ami-0123456789abcdef0");
  expect([foreign.code, foreign.err]).toEqual([
    124,
    expect.stringContaining("run no images ('ami-0123456789abcdef0')"),
  ]);

  const asked = await home.run("image", "remove", "base");
  expect([asked.code, asked.err]).toEqual([120, expect.stringContaining("--yes")]);
  const removed = await home.run("image", "remove", "base", "-y", "--json");
  expect(JSON.parse(removed.out)).toMatchObject([{ name: "base", state: "removing" }]);
  expect((await home.run("image", "remove", "base", "-y")).code).toBe(122);
  const late = await launch("four", "true", "--image", "base");
  expect([late.code, late.err]).toEqual([122, expect.stringContaining("there is no image 'base'")]);
});
