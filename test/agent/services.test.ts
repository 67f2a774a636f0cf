/** Servers beside a job, on a real agent with real processes; the control plane is a server of our own. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bindable, Ports } from "../../packages/agent/src/service/ports.ts";
import { KEEP_UP, RESTARTS } from "../../packages/agent/src/service/texts.ts";
import { Bench, isAlive, murder } from "./support/bench.ts";
import { FakeDocker } from "./support/fake-docker.ts";
import { until } from "./support/until.ts";

const SERVER = `exec node -e 'require("http").createServer((_, r) => r.end("served")).listen(+process.env.PORT, () => console.log("up"))'`;

async function free(): Promise<number> {
  const port = await bindable(0);
  if (port === undefined) throw new Error("no port is free");
  return port;
}

/** What a client sees, as soon as there is something to see. */
const seen = (url: string): Promise<string> =>
  until(`an answer of ${url}`, () =>
    fetch(url).then(
      answer => answer.text(),
      () => undefined,
    ),
  );

const urls = (bench: Bench, jobId: string): string[] | undefined =>
  bench.plane.reports
    .flatMap(report => (report.jobId === jobId && report.state === "running" ? [report] : []))
    .map(({ endpoints = [] }) => endpoints.map(({ url }) => url))[0];

test.concurrent("a service serves while the job runs, tells where, and ends with it", async () => {
  await using bench = await Bench.open();
  const port = await free();
  const services = [{ name: "board", run: SERVER, port }];
  bench.plane.assign("job_a", { services, run: "until [ -e ~/over ]; do sleep 0.05; done; exit 3" });
  await bench.agent();
  const url = `http://127.0.0.1:${port}`;
  expect(await until("its URL", () => urls(bench, "job_a"))).toEqual([url]);
  expect(await seen(url)).toBe("served");
  bench.write("over");
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 3 });
  await expect(fetch(url)).rejects.toThrow();
  expect(bench.plane.log("job_a")).toBe(`board: ${url}\nup\n`);
  expect(bench.plane.log("job_a", "service-board")).toBe("up\n");
});

test.concurrent("a port that is taken, or given to another service, is not given again", async () => {
  await using bench = await Bench.open();
  const taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const busy = typeof address === "object" && address !== null ? address.port : 0;
  const port = await free();
  const say = "echo $PORT; sleep 1000";
  const services = [
    { name: "a", run: say, port: busy },
    { name: "b", run: say, port },
    { name: "c", run: say, port },
  ];
  bench.plane.assign("job_a", { services, env: { MASTER_ADDR: "10.0.0.7" }, run: "sleep 0.3" });
  await bench.agent();
  await bench.exit("job_a");
  taken.close();
  const [a = "", b, c = ""] = urls(bench, "job_a") ?? [];
  const portOf = (url: string): string => url.replace("http://10.0.0.7:", "");
  expect(b).toBe(`http://10.0.0.7:${port}`);
  expect(new Set([String(busy), portOf(a), String(port), portOf(c)]).size).toBe(4);
  expect(bench.plane.log("job_a", "service-c")).toBe(`${portOf(c)}\n`);
  expect(bench.plane.log("job_a", "run")).toBe(
    `a: ${a} (port ${busy} is taken)\nb: ${b}\nc: ${c} (port ${port} is taken)\n`,
  );
});

test.concurrent("a service that ends is started again, and its end is not the job's", async () => {
  await using bench = await Bench.open();
  const run = "echo life; [ -e ~/second ] && sleep 1000; touch ~/second; exit 7";
  bench.plane.assign("job_a", {
    services: [{ name: "board", run, port: await free() }],
    run: "until grep -q life ~/../agent/attempts/job_a-1/out/service-board.log && [ -e ~/second ]; do sleep 0.05; done; sleep 1.5",
  });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.plane.log("job_a", "service-board")).toBe(
    "life\nservice board: it ended with exit code 7, and is started again in 1 s\nlife\n",
  );
});

test.concurrent("of a job in a container services run in there, and end with it", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  const port = await free();
  bench.plane.assign("job_a", {
    container: { image: "ghcr.io/you/it:1.0", options: [] },
    services: [{ name: "board", run: `echo $$ >~/pid; echo "[$MUSTER_ATTEMPT_DIR]"; ${SERVER}`, port }],
    run: "until [ -e ~/over ]; do sleep 0.05; done; exit 3",
  });
  await bench.agent(docker.env);
  expect(await seen(`http://127.0.0.1:${port}`)).toBe("served");
  bench.write("over");
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 3 });
  expect(isAlive(Number(bench.read("pid")))).toBe(false);
  // In there nothing is marked as this machine's.
  expect(bench.plane.log("job_a", "service-board")).toMatch(/^\[\]\nup\n/);
});

test("a service is started again five times, after 1, 2, 4, 8 and 16 seconds", () => {
  const folder = mkdtempSync(join(tmpdir(), "ms-"));
  writeFileSync(join(folder, "sleep"), "#!/bin/sh\n");
  chmodSync(join(folder, "sleep"), 0o755);
  const options = { encoding: "utf8", env: { PATH: `${folder}:/usr/bin:/bin` } } as const;
  const command = `${KEEP_UP}`;
  const said = execFileSync(
    "sh",
    ["-c", `( ${command} ) || echo "code $?"`, "x", "board", "echo life; exit 9"],
    options,
  );
  rmSync(folder, { recursive: true });
  const again = (seconds: number) =>
    `life\nservice board: it ended with exit code 9, and is started again in ${seconds} s\n`;
  const last = "life\nservice board: it ended once more, with exit code 9, and is not started again\ncode 9\n";
  expect(said).toBe([1, 2, 4, 8, 16].map(again).join("") + last);
  expect(RESTARTS).toBe(5);
});

test.concurrent("the next agent takes over the services with their ports, and starts none of them twice", async () => {
  await using bench = await Bench.open();
  const port = await free();
  const run = `echo $$ >>~/pids; ${SERVER}`;
  bench.plane.assign("job_a", {
    services: [{ name: "board", run, port }],
    run: "until [ -e ~/over ]; do sleep 0.05; done",
  });
  const first = await bench.agent();
  const url = `http://127.0.0.1:${port}`;
  expect(await seen(url)).toBe("served");
  await murder(first);
  const pid = Number(bench.read("pids"));
  await bench.agent();
  expect(await seen(url)).toBe("served");
  expect(isAlive(pid)).toBe(true);
  bench.write("over");
  await bench.exit("job_a");
  expect(isAlive(pid)).toBe(false);
  expect(bench.read("pids")).toBe(`${pid}\n`);
  expect(bench.plane.log("job_a", "run")).toBe(`board: ${url}\n`);
});

test.concurrent("a service that cannot be started ends its job, which says why", async () => {
  await using bench = await Bench.open();
  const services = [{ name: "board", run: "sleep 1000", port: await free() }];
  bench.plane.assign("job_a", { services, setup: 'rm -r "$PWD"', run: "true" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({
    cause: "start_failed",
    message: expect.stringContaining("ENOENT"),
  });
});

test.concurrent("a control plane that does not understand all of a report is told of the end all the same", async () => {
  await using bench = await Bench.open();
  const isKnown = /^(jobId|fence|state|cause|exitCode|message|chunks|logsComplete)$/;
  bench.plane.isStrange = report => Object.keys(report).some(name => !isKnown.test(name));
  const services = [{ name: "board", run: "sleep 1000", port: await free() }];
  const outputs = { places: ["nowhere"], policy: bench.plane.policy("job_a", 1, { prefix: "outputs/" }) };
  bench.plane.assign("job_a", { services, outputs, run: "until [ -e ~/go ]; do sleep 0.05; done; exit 3" });
  await bench.agent();
  await until("run", () => existsSync(join(bench.home.attempts, "job_a-1", "run.pid")));
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 3 });
});

test("what an attempt had is free again when it is over", async () => {
  const ports = new Ports();
  const port = await free();
  expect(await ports.take(port, "job_a-1")).toBe(port);
  const other = await ports.take(port, "job_b-1");
  expect(other).not.toBe(port);
  ports.release("job_a-1");
  expect(await ports.take(port, "job_c-1")).toBe(port);
  ports.keep(port + 1, "job_d-1");
  expect(await ports.take(port + 1, "job_e-1")).not.toBe(port + 1);
});
