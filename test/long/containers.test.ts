/** What keeps attempts from their containers; the engine is a stand-in of ours (../agent/support/fake-docker.ts), agents are real. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bench } from "../agent/support/bench.ts";
import { FakeDocker } from "../agent/support/fake-docker.ts";
import { until } from "../agent/support/until.ts";

const container = { image: "ghcr.io/you/it:1.0", options: [] };

test.concurrent("ECR gives a password for the job's own credentials", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  const seen: { headers: unknown }[] = [];
  const ecr = createServer((request, response) => {
    seen.push({ headers: request.headers });
    request.resume();
    const authorizationToken = Buffer.from("AWS:one:time").toString("base64");
    response.end(JSON.stringify({ authorizationData: [{ authorizationToken }] }));
  });
  await new Promise<void>(resolve => ecr.listen(0, "127.0.0.1", resolve));
  const env = {
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "aws-secret",
    AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${(ecr.address() as AddressInfo).port}`,
  };
  const image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/it:1";
  bench.plane.assign("job_a", { container: { image, options: [] }, env, run: "true" });
  await bench.agent(docker.env);
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  ecr.close();
  expect(seen).toMatchObject([
    {
      headers: {
        "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
        authorization: expect.stringContaining("/eu-west-1/ecr/aws4_request"),
      },
    },
  ]);
  const [login] = docker.calls.filter(({ argv }) => argv[0] === "login");
  expect(login).toMatchObject({
    argv: ["login", "--username", "AWS", "--password-stdin", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"],
    input: "one:time",
  });
});

test.concurrent.each([
  [
    "pull",
    1,
    "Error response from daemon: manifest for x not found: manifest unknown",
    "could not be pulled",
    "manifest unknown",
  ],
  ["pull", 1, "write /var/lib: no space left on device", "no space left", "disk_size"],
  ["pull", 1, "pull access denied for x, token pass-word is wrong", "denied", "MUSTER_REGISTRY_USERNAME"],
  [
    "run",
    125,
    'could not select device driver "" with capabilities: [[gpu]]',
    "could not be started",
    "NVIDIA Container Toolkit",
  ],
  ["info", 1, "Cannot connect to the Docker daemon", "Docker does not answer (Cannot connect", "leave container out"],
])("when %s fails (%d, %s), that ends the attempt at once", async (command, code, said, ...told) => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  docker.answer(command, code, said);
  const env = { TOKEN: "pass-word" };
  bench.plane.assign("job_a", { container, env, secretNames: ["TOKEN"], run: "touch ~/ran" });
  await bench.agent({ ...docker.env, CONTAINER_HOST: "unix:///nowhere.sock" });
  const exit = await bench.exit("job_a");
  expect(exit.cause).toBe("container_failed");
  for (const part of told) expect(exit.message).toContain(part);
  expect(exit.message).not.toMatch(/pass-word|\n/);
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("a stand-in that installs Docker is waited for, and let alone when the job is cancelled", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  const standIn = docker.asStandIn();
  bench.plane.assign("job_a", { container, run: "echo in" });
  bench.plane.assign("job_b", { container, run: "echo in" });
  await bench.agent(standIn.env);
  await until("the installation to be waited for", () =>
    bench.plane.log("job_b").includes("Docker is being installed"),
  );
  bench.plane.held = [{ jobId: "job_b", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ cause: "cancelled" });
  standIn.finish();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  // The one that was cancelled has come to its end as well.
  await until("both", () => standIn.installed() === 2);
});

test.concurrent.each([
  ["echo 0; echo 1", [1], ['"device=1"']],
  ["echo 0; echo 1", undefined, ["all"]],
  // An image for GPUs on a machine that has none.
  ["echo 'NVIDIA-SMI has failed'; exit 9", undefined, []],
] as const)("where nvidia-smi does `%s`, a job with the GPUs %j is given %j", async (smi, gpus, wanted) => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  writeFileSync(join(docker.folder, "nvidia-smi"), `#!/bin/sh\n${smi}\n`, { mode: 0o755 });
  bench.plane.assign("job_a", { container, run: "true", ...(gpus && { gpus: [...gpus] }) });
  await bench.agent(docker.env);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  const [run = []] = docker.told("run");
  expect(run.flatMap((word, at) => (run[at - 1] === "--gpus" ? word : []))).toEqual(wanted);
});
