/** Attempts in containers; the engine is a stand-in of ours (support/fake-docker.ts), agents and scripts are real. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bench, murder } from "./support/bench.ts";
import { FakeDocker } from "./support/fake-docker.ts";
import { until } from "./support/until.ts";

const container = { image: "ghcr.io/you/it:1.0", options: ["--shm-size=8g"] };

test.concurrent("setup and run are sent into one container, which goes with the attempt", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  const odd = "it's $HOME\n\n`x`\n";
  const env = { ODD: odd, HF_TOKEN: "secret-value" };
  bench.plane.assign("job_a", {
    container,
    env,
    secretNames: ["HF_TOKEN"],
    setup: "echo set",
    run: 'printf %s "$ODD" >~/odd; echo "[$MUSTER_ATTEMPT_DIR]"; exit 3',
  });
  bench.plane.assign("job_b", { container, env, setup: "echo set", run: "true" });
  await bench.agent(docker.env);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 3 });
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.read("odd")).toBe(odd);
  // What has it is taken for a process of this machine's.
  expect(bench.plane.log("job_a", "run")).toBe("[]\n");
  // What is set up in one container is not in the next one.
  for (const job of ["job_a", "job_b"]) expect(bench.plane.log(job, "setup")).toBe("set\n");
  const [run = []] = docker.told("run").filter(words => words.includes("muster-job_a-1-0"));
  const workdir = join(bench.home.jobs, "muster/job_a");
  expect(run).toEqual(
    expect.arrayContaining(["--network=host", `--workdir=${workdir}`, "--entrypoint=sh", "--shm-size=8g"]),
  );
  // Podman would refuse both.
  expect(run).not.toContain("--ipc=host");
  expect(
    run.find(word => word.startsWith(`type=bind,source=${bench.home.jobs},target=${bench.home.jobs}`)),
  ).toBeDefined();
  expect(run[run.indexOf("-c") - 1]).toBe(container.image);
  expect(docker.told("rm").map(words => words.at(-1))).toContain("muster-job_a-1-0");
  expect(JSON.stringify(docker.calls)).not.toContain("secret-value");
  expect(docker.calls.filter(call => call.env.includes("HF_TOKEN") || call.env.includes("MUSTER_ATTEMPT_DIR"))).toEqual(
    [],
  );
});

test.concurrent("an attempt goes on under a new agent, and is stopped in its container", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  const run = "trap 'echo asked; exit 5' TERM; echo up; while :; do sleep 0.05 || :; done";
  bench.plane.assign("job_a", { container, grace: 10, run });
  const first = await bench.agent(docker.env);
  await until("the script to run", () => bench.plane.log("job_a", "run") === "up\n");
  await murder(first);
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.agent(docker.env);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled", exitCode: 5 });
  expect(bench.plane.log("job_a", "run")).toContain("asked\n");
  expect(docker.told("run")).toHaveLength(1);
  expect(docker.calls.map(({ argv }) => `${argv[0]} ${argv.at(-1)}`).at(-1)).toBe("rm muster-job_a-1-0");
});

test.concurrent("a registry gets a fresh login by standard input, in a configuration of the attempt's own", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  const env = {
    SKYPILOT_DOCKER_USERNAME: "me",
    SKYPILOT_DOCKER_PASSWORD: "pass-word\n",
    SKYPILOT_DOCKER_SERVER: "registry.example.com",
  };
  bench.plane.assign("job_a", {
    container: { image: "team/it", options: [] },
    env,
    run: "echo up; until [ -e ~/go ]; do sleep 0.02; done",
  });
  await bench.agent(docker.env);
  await until("the script to run", () => bench.plane.log("job_a", "run") === "up\n");
  const [login] = docker.calls.filter(({ argv }) => argv[0] === "login");
  expect(login).toMatchObject({
    argv: ["login", "--username", "me", "--password-stdin", "registry.example.com"],
    input: "pass-word",
  });
  expect(login?.env).toContain("DOCKER_CONFIG");
  expect(docker.told("pull")).toEqual([["pull", "registry.example.com/team/it"]]);
  expect(existsSync(join(bench.home.attempts, "job_a-1/registry"))).toBe(false);
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
});

test.concurrent("what cannot be pulled ends the attempt at once, with the reason in one line, masked", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  docker.answer("pull", 1, "Error response from daemon: manifest for it:pass-word not found");
  bench.plane.assign("job_a", { container, env: { TOKEN: "pass-word" }, secretNames: ["TOKEN"], run: "touch ~/ran" });
  await bench.agent(docker.env);
  expect(await bench.exit("job_a")).toMatchObject({
    cause: "container_failed",
    message: `the image ${container.image} could not be pulled: Error response from daemon: manifest for it:*** not found`,
  });
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("cancel is heard while an image is pulled", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  bench.plane.assign("job_a", { container, grace: 1, env: {}, run: "touch ~/ran" });
  docker.hang("pull");
  await bench.agent(docker.env);
  await until("the pull to begin", () => docker.told("pull").length > 0);
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled" });
  expect(bench.read("ran")).toBeUndefined();
});
