/**
 * Buckets that are mounted. mount-s3 is a stand-in that writes down how it was called and mounts a folder (see
 * support/mount-stand-in.ts): that it is called rightly is by its documentation, and Mountpoint itself was never run. What
 * is mounted and unmounted is real, which only root may do; as anybody else, or without /dev/fuse, only the refusals are
 * tested. The bucket that is asked first is a small S3 of our own.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isMounted, mountpoints } from "../../packages/agent/src/bucket/mountinfo.ts";
import { Bench, murder } from "./support/bench.ts";
import { canMount, standIn } from "./support/mount-stand-in.ts";
import { S3 } from "./support/s3.ts";
import { until } from "./support/until.ts";

const from = (s3: S3, path: string, prefix = "/set", mode: "mount" | "mount_cached" = "mount") => ({
  kind: "bucket" as const,
  path,
  source: `s3://${s3.bucket}${prefix}`,
  mode,
});
const WAIT = "until [ -e ~/go ]; do sleep 0.02; done";

test.concurrent("a host without mount-s3 says what to do instead", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { mounts: [from(s3, "~/data")], env: s3.env, run: "touch ~/ran" });
  await bench.agent({ PATH: "/usr/bin:/bin" });
  expect(await bench.exit("job_a")).toMatchObject({
    cause: "inputs_failed",
    message:
      "mount ~/data: mount-s3 (Mountpoint for Amazon S3) is not on this host: use mode: COPY, or an image that has it",
  });
  expect(s3.lists).toBe(0);
});

test.concurrent("what the kernel says of odd places is read as it is meant", () => {
  expect(mountpoints()).toContain("/");
  expect(isMounted("/no/such/place")).toBe(false);
});

if (canMount()) asRoot();

function asRoot(): void {
  /** An agent that finds the stand-in. */
  async function opened(): Promise<{
    bench: Bench;
    root: string;
    bucket: string;
    calls: () => string;
    start: () => ReturnType<Bench["agent"]>;
  }> {
    const bench = await Bench.open();
    const { folder, bucket, calls } = standIn(bench.home.root);
    const start = () => bench.agent({ PATH: `${folder}:${process.env.PATH}` });
    const read = (): string => (existsSync(calls) ? readFileSync(calls, "utf8") : "");
    return { bench, root: bench.home.root, bucket, calls: read, start };
  }

  test.concurrent("a bucket is there while its job runs, and nowhere afterwards; what lies in it stays", async () => {
    await using s3 = await S3.open();
    s3.credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "s3cret-key", sessionToken: "t0ken" };
    s3.region = "eu-north-1";
    const { bench, bucket, calls, start } = await opened();
    await using _ = bench;
    writeFileSync(join(bucket, "weights"), "7");
    const mounts = [from(s3, "~/a b", "/set"), from(s3, "./in/work", "", "mount_cached")];
    bench.plane.assign("job_a", {
      mounts,
      env: s3.env,
      setup: "cat ~/'a b'/weights",
      run: "cat ~/'a b'/weights in/work/weights; echo new >in/work/new",
    });
    await start();
    expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
    expect(bench.plane.log("job_a")).toBe("777");
    const place = join(bench.home.jobs, "a b");
    const work = join(bench.home.jobs, "muster/job_a/in/work");
    expect(isMounted(place)).toBe(false);
    expect(isMounted(work)).toBe(false);
    expect(readdirSync(bucket).sort()).toEqual(["new", "weights"]);
    expect(readdirSync(bench.home.mounts)).toEqual([]);
    const both = `--region> <eu-north-1> <--allow-delete> <--allow-overwrite> <--endpoint-url> <${s3.url}> <--force-path-style>`;
    const environment = `AWS_ACCESS_KEY_ID=AKIDEXAMPLE
AWS_CONFIG_FILE=/dev/null
AWS_EC2_METADATA_DISABLED=true
AWS_SECRET_ACCESS_KEY=s3cret-key
AWS_SESSION_TOKEN=t0ken
AWS_SHARED_CREDENTIALS_FILE=/dev/null
marked=no
`;
    const lines = calls();
    expect(lines).toContain(
      ` <--prefix> <set/> <${both} <--allow-other> <--> <${s3.bucket}> <${place}>\n${environment}`,
    );
    expect(lines).toMatch(
      new RegExp(`^ <${both} <--cache> <\\S+\\.cache> <--allow-other> <--> <${s3.bucket}> <${work}>$`, "m"),
    );
  });

  test.concurrent("without credentials a bucket is mounted unsigned, and cannot be written", async () => {
    await using s3 = await S3.open();
    const { bench, calls, start } = await opened();
    await using _ = bench;
    bench.plane.assign("job_a", { mounts: [from(s3, "~/data")], env: s3.env, run: "true" });
    await start();
    await bench.exit("job_a");
    expect(calls()).toContain("<--no-sign-request> <--read-only>");
    expect(calls()).not.toContain("KEY");
  });

  test.concurrent("a workdir that is made anew takes nothing out of a bucket that is mounted in it", async () => {
    await using s3 = await S3.open();
    const { bench, bucket, start } = await opened();
    await using _ = bench;
    writeFileSync(join(bucket, "weights"), "7");
    bench.plane.assign("job_a", { mounts: [from(s3, "data")], env: s3.env, run: `cat data/weights; ${WAIT}` });
    const first = await start();
    await until("the job", () => bench.plane.log("job_a") === "7");
    await murder(first);
    // The machine's attempts are gone, and with them who knew of the mount; the same job comes again.
    await bench.command("kill");
    expect(isMounted(join(bench.home.jobs, "muster/job_a/data"))).toBe(false);
    mkdirSync(join(bench.home.jobs, "muster/job_a/by-hand"), { recursive: true });
    spawnSync("/bin/mount", ["--bind", bucket, join(bench.home.jobs, "muster/job_a/by-hand")]);
    rmSync(bench.home.attempts, { recursive: true });
    bench.plane.assign("job_a", { fence: 2, mounts: [from(s3, "data")], env: s3.env, run: "cat data/weights; ls -A" });
    await start();
    expect(await bench.exit("job_a", 2)).toMatchObject({ exitCode: 0 });
    expect(bench.plane.log("job_a", "", 2)).toBe("7data\n");
    expect(readFileSync(join(bucket, "weights"), "utf8")).toBe("7");
  });

  test.concurrent("jobs that mount the same share it, and it goes with the last of them", async () => {
    await using s3 = await S3.open();
    const { bench, bucket, calls, start } = await opened();
    await using _ = bench;
    writeFileSync(join(bucket, "weights"), "7");
    const place = join(bench.home.jobs, "data");
    const job = { mounts: [from(s3, "~/data")], env: s3.env };
    bench.plane.assign("job_a", { ...job, run: "until [ -e ~/began ]; do sleep 0.02; done; cat ~/data/weights" });
    bench.plane.assign("job_b", { ...job, run: `touch ~/began; ${WAIT}; cat ~/data/weights` });
    await start();
    await bench.exit("job_a");
    await until("the other", () => bench.plane.states("job_b").includes("running"));
    bench.plane.assign("job_c", { ...job, mounts: [from(s3, "~/data", "/other")], run: "true" });
    await bench.kick();
    expect((await bench.exit("job_c")).message).toContain("another job on this host uses the place for something else");
    expect(isMounted(place)).toBe(true);
    bench.write("go");
    await bench.exit("job_b");
    expect(bench.plane.log("job_b")).toBe("7");
    expect(isMounted(place)).toBe(false);
    expect(calls().match(/--prefix/g)?.length).toBe(1);
  });

  test.concurrent("a mount outlives its agent as the job does, and the next agent takes it away at the job's end", async () => {
    await using s3 = await S3.open();
    const { bench, bucket, calls, start } = await opened();
    await using _ = bench;
    writeFileSync(join(bucket, "weights"), "7");
    bench.plane.assign("job_a", {
      mounts: [from(s3, "~/data")],
      env: s3.env,
      run: `touch ~/began; ${WAIT}; cat ~/data/weights`,
    });
    const first = await start();
    await until("the job", () => bench.read("began"));
    await murder(first);
    await start();
    bench.write("go");
    expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
    expect(bench.plane.log("job_a")).toBe("7");
    expect(isMounted(join(bench.home.jobs, "data"))).toBe(false);
    expect(calls().match(/--prefix/g)?.length).toBe(1);
  });

  test.concurrent("a mount whose attempt is gone is taken away by the next agent", async () => {
    await using s3 = await S3.open();
    const { bench, start } = await opened();
    await using _ = bench;
    const place = join(bench.home.jobs, "data");
    const job = { mounts: [from(s3, "~/data")], env: s3.env };
    bench.plane.assign("job_a", { ...job, run: "touch ~/began; sleep 1000" });
    const first = await start();
    await until("the job", () => bench.read("began"));
    await murder(first);
    expect(isMounted(place)).toBe(true);
    // As if the attempt had been forgotten before its mount was.
    for (const pid of bench.processes()) process.kill(pid, "SIGKILL");
    rmSync(join(bench.home.attempts, "job_a-1"), { recursive: true });
    await start();
    await until("the mount to be gone", () => !isMounted(place));
    await until("the note of it to be gone", () => readdirSync(bench.home.mounts).length === 0);
  });

  test.concurrent("an agent that is killed while it mounts is followed by one that mounts, and unmounts all of it", async () => {
    await using s3 = await S3.open();
    const { bench, root, bucket, calls, start } = await opened();
    await using _ = bench;
    writeFileSync(join(root, "hang"), "");
    writeFileSync(join(bucket, "weights"), "7");
    bench.plane.assign("job_a", { mounts: [from(s3, "~/data")], env: s3.env, run: "cat ~/data/weights" });
    const first = await start();
    await until("the mounting", () => calls() !== "");
    await murder(first);
    rmSync(join(root, "hang"));
    // What the killed agent began goes on without it.
    await until("the mount", () => isMounted(join(bench.home.jobs, "data")));
    await start();
    expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
    expect(bench.plane.log("job_a")).toBe("7");
    expect(isMounted(join(bench.home.jobs, "data"))).toBe(false);
  });

  test.concurrent("a bucket that cannot be mounted fails its job with what was said", async () => {
    await using s3 = await S3.open();
    const { bench, root, start } = await opened();
    await using _ = bench;
    writeFileSync(join(root, "refuse"), "");
    bench.plane.assign("job_a", { mounts: [from(s3, "~/data")], env: s3.env, run: "true" });
    bench.plane.assign("job_b", { mounts: [from(s3, "~/tmp")], env: s3.env, run: "true" });
    mkdirSync(join(bench.home.jobs, "tmp"), { recursive: true });
    spawnSync("/bin/mount", ["-t", "tmpfs", "none", join(bench.home.jobs, "tmp")]);
    await start();
    expect((await bench.exit("job_a")).message).toBe("mount ~/data: mount-s3 ended with 1: Error: Access Denied");
    expect((await bench.exit("job_b")).message).toBe("mount ~/tmp: something else is mounted there");
    expect(isMounted(join(bench.home.jobs, "tmp"))).toBe(true);
    spawnSync("/bin/umount", [join(bench.home.jobs, "tmp")]);
    expect(readdirSync(bench.home.mounts)).toEqual([]);
  });

  test.concurrent("a job that is cancelled while it is mounted ends at once, and a job that is revoked leaves no mount", async () => {
    await using s3 = await S3.open();
    const { bench, root, calls, start } = await opened();
    await using _ = bench;
    const place = join(bench.home.jobs, "data");
    bench.plane.assign("job_a", { mounts: [from(s3, "~/data")], env: s3.env, run: "touch ~/began; sleep 1000" });
    await start();
    await until("the job", () => bench.read("began"));
    bench.plane.revoked = [{ jobId: "job_a", fence: 1 }];
    await bench.kick();
    await until("the mount to be gone", () => !isMounted(place));
    writeFileSync(join(root, "hang"), "");
    bench.plane.assign("job_b", { mounts: [from(s3, "~/other")], env: s3.env, run: "touch ~/ran" });
    await bench.kick();
    await until("the mounting", () => calls().includes("other"));
    bench.plane.held = [{ jobId: "job_b", fence: 1, cancel: "cancelled" }];
    await bench.kick();
    expect(await bench.exit("job_b", 1, 5_000)).toMatchObject({ cause: "cancelled" });
    expect(readdirSync(bench.home.mounts)).toEqual([]);
  });

  test.concurrent("a job that is revoked while it waits for another's mount keeps nothing mounted, and is not waited for", async () => {
    await using s3 = await S3.open();
    const { bench, root, calls, start } = await opened();
    await using _ = bench;
    const job = { mounts: [from(s3, "~/data")], env: s3.env, run: "true" };
    writeFileSync(join(root, "hang"), "");
    bench.plane.assign("job_a", job);
    await start();
    await until("the mounting", () => calls().includes("data"));
    bench.plane.assign("job_b", job);
    bench.plane.assign("job_c", job);
    await bench.kick();
    // Who has listed the bucket goes on to its turn.
    await until("the others to wait", () => s3.lists === 3 && s3.atOnce === 0);
    bench.plane.held = [{ jobId: "job_c", fence: 1, cancel: "cancelled" }];
    bench.plane.revoked = [{ jobId: "job_b", fence: 1 }];
    bench.plane.assignments = bench.plane.assignments.filter(({ jobId }) => jobId !== "job_b");
    await bench.kick();
    expect(await bench.exit("job_c", 1, 5_000)).toMatchObject({ cause: "cancelled" });
    await until("the other to be gone", () => bench.attempts().join() === "job_a-1");
    rmSync(join(root, "hang"));
    expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
    await until("the attempts to be gone", () => bench.attempts().length === 0);
    expect(isMounted(join(bench.home.jobs, "data"))).toBe(false);
    expect(readdirSync(bench.home.mounts)).toEqual([]);
  });
}
