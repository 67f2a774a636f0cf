/**
 * Buckets that are copied: against a small S3 of our own (support/s3.ts), since real ones seldom break down when asked to;
 * against moto, which is not ours, in test/aws. The control plane is a server of our own too.
 */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { accessOf, sourceOf } from "../../packages/agent/src/bucket/access.ts";
import { all, parse, textOf } from "../../packages/agent/src/bucket/xml.ts";
import { Bench, murder } from "../agent/support/bench.ts";
import { S3 } from "../agent/support/s3.ts";
import { until } from "../agent/support/until.ts";

const from = (path: string, source: string) => ({ kind: "bucket" as const, path, source, mode: "copy" as const });
const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "s3cret/key+", sessionToken: "t0ken==" };

test.concurrent("what lies under a prefix comes to the place, page by page, signed, with names of every kind", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  s3.credentials = keys;
  s3.pageSize = 17;
  const odd = ["a b+c", "é/日本 🦄", "x&y<z>", "%41", "q?x=1#y", "it's (1)!*", "new\nline", "-rf", "~", "a=b;c"];
  s3.put(Object.fromEntries(odd.map(name => [`data/set/${name}`, name])));
  s3.put(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`data/set/deep/${n % 4}/${n}`, `n${n}`])));
  s3.put({
    "data/set/": "",
    "data/set/empty folder/": "",
    "data/set/zero": "",
    "data/settings": "no",
    "data/other": "no",
  });
  const source = `s3://${s3.bucket}/data/set`;
  bench.plane.assign("job_a", {
    mounts: [from("~/data", source), from("in/work", `${source}/deep/1/`)],
    env: s3.env,
    run: "find . | wc -l",
  });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  for (const name of odd) expect(bench.read(`data/${name}`), name).toBe(name);
  for (const n of [0, 13, 39]) expect(bench.read(`data/deep/${n % 4}/${n}`)).toBe(`n${n}`);
  expect(lstatSync(join(bench.home.jobs, "data/empty folder")).isDirectory()).toBe(true);
  expect(statSync(join(bench.home.jobs, "data/zero")).size).toBe(0);
  expect(existsSync(join(bench.home.jobs, "data/settings"))).toBe(false);
  // The folder, in, in/work, and ten files.
  expect(bench.plane.log("job_a")).toBe("13\n");
  expect(s3.mostAtOnce).toBeGreaterThan(2);
  expect(s3.mostAtOnce).toBeLessThanOrEqual(8);
});

test.concurrent("an object that is called as the source says is a file at the place", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  s3.put({ "models/best.pt": "weights", "models/best.pt.old": "older" });
  const mounts = [from("~/model.pt", `s3://${s3.bucket}/models/best.pt`)];
  bench.plane.assign("job_a", { mounts, env: s3.env, run: "cat ~/model.pt" });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("weights");
  mkdirSync(join(bench.home.jobs, "folder"));
  bench.plane.assign("job_b", { mounts: [from("~/folder", mounts[0]!.source)], env: s3.env, run: "true" });
  await bench.kick();
  expect((await bench.exit("job_b")).message).toContain("is one object, and a folder is at its place on this host");
});

test.concurrent("a bucket in another region is asked there, and pauses and broken answers are got over", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  s3.credentials = keys;
  s3.region = "eu-north-1";
  s3.put({ "a/one": "1".repeat(100_000), "a/two": "2" });
  const counts = new Map<string, number>();
  s3.fault = (key, isList) => {
    const count = (counts.get(`${key} ${isList}`) ?? 0) + 1;
    counts.set(`${key} ${isList}`, count);
    if (count > 1) return undefined;
    return isList ? 503 : "cut";
  };
  bench.plane.assign("job_a", { mounts: [from("~/data", `s3://${s3.bucket}/a`)], env: s3.env, run: "true" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(bench.read("data/one")).toBe("1".repeat(100_000));
  expect(bench.read("data/two")).toBe("2");
});

test.concurrent("what a former try brought whole is not brought again, and what has changed is", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  s3.put({ "a/one": "one", "a/two": "two", "a/three": "three" });
  s3.fault = key => (key === "a/two" ? 503 : undefined);
  const mounts = [from("~/data", `s3://${s3.bucket}/a`)];
  bench.plane.assign("job_a", { mounts, env: s3.env, run: "cat ~/data/*" });
  const first = await bench.agent();
  await until("the others", () => bench.read("data/one") === "one" && bench.read("data/three") === "three");
  await until("two tries", () => s3.reads.filter(key => key === "a/two").length > 1);
  await murder(first);
  s3.fault = () => undefined;
  s3.reads.length = 0;
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("onethreetwo");
  expect(new Set(s3.reads)).toEqual(new Set(["a/two"]));
  s3.put({ "a/one": "ONE" }, Date.UTC(2025, 0, 1));
  writeFileSync(join(bench.home.jobs, "data/three"), "THREE");
  s3.reads.length = 0;
  bench.plane.assign("job_b", { mounts, env: s3.env, run: "cat ~/data/*" });
  await bench.kick();
  await bench.exit("job_b");
  expect(bench.plane.log("job_b")).toBe("ONEthreetwo");
  expect(s3.reads.sort()).toEqual(["a/one", "a/three"]);
});

test.concurrent("no key leads out of the place, and no link there is followed", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  const { jobs } = bench.home;
  const precious = join(bench.home.root, "precious");
  mkdirSync(precious);
  writeFileSync(join(precious, "file"), "keep");
  mkdirSync(join(jobs, "data"), { recursive: true });
  symlinkSync(precious, join(jobs, "data/folder"));
  symlinkSync(join(precious, "file"), join(jobs, "data/link"));
  writeFileSync(join(jobs, "data/was-file"), "left over");
  s3.put({ "a/folder/file": "theirs", "a/link": "theirs", "a/was-file/x": "theirs" });
  const mount = from("~/data", `s3://${s3.bucket}/a`);
  bench.plane.assign("job_a", {
    mounts: [mount],
    env: s3.env,
    run: "cat ~/data/folder/file ~/data/link ~/data/was-file/x",
  });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("theirs".repeat(3));
  expect(readFileSync(join(precious, "file"), "utf8")).toBe("keep");
  const bad = ["../out", "x/../../out", "x//y", "/x", "./x", "x/."];
  for (const [index, key] of bad.entries()) {
    s3.put({ [`bad${index}/${key}`]: "x" });
    const mounts = [from("~/bad", `s3://${s3.bucket}/bad${index}`)];
    bench.plane.assign(`job_x${index}`, { mounts, env: s3.env, run: "true" });
  }
  s3.put({ "both/a": "file", "both/a/b": "below" });
  bench.plane.assign("job_y", { mounts: [from("~/both", `s3://${s3.bucket}/both`)], env: s3.env, run: "true" });
  await bench.kick();
  for (const index of bad.keys())
    expect((await bench.exit(`job_x${index}`)).message, bad[index]).toContain("has a key that no file can have");
  expect((await bench.exit("job_y")).message).toContain('"both/a" is an object, and there are others below it');
  expect(existsSync(join(jobs, "out"))).toBe(false);
});

test.concurrent("what is wrong with a bucket is said, with what to do about it", async () => {
  await using open = await S3.open();
  await using closed = await S3.open();
  await using bench = await Bench.open();
  closed.credentials = keys;
  closed.put({ "a/one": "1" });
  const mount = (s3: S3, path: string) => [
    from("~/d", `s3://${path === "" ? "no-such-bucket" : `${s3.bucket}/${path}`}`),
  ];
  const wrong = { ...closed.env, AWS_SECRET_ACCESS_KEY: "another-s3cret" };
  bench.plane.assign("job_a", { mounts: mount(closed, "a"), env: { AWS_ENDPOINT_URL: closed.url }, run: "true" });
  bench.plane.assign("job_b", { mounts: mount(closed, "a"), env: wrong, run: "true" });
  bench.plane.assign("job_c", { mounts: mount(open, ""), env: open.env, run: "true" });
  bench.plane.assign("job_d", { mounts: mount(open, "nothing/here"), env: open.env, run: "true" });
  bench.plane.assign("job_e", { mounts: mount(open, "a"), env: { ...open.env, AWS_ACCESS_KEY_ID: "x" }, run: "true" });
  await bench.agent();
  const said = async (job: string): Promise<string> => {
    const exit = await bench.exit(job);
    expect(exit.cause, job).toBe("inputs_failed");
    return exit.message ?? "";
  };
  expect(await said("job_a")).toBe(
    `mount ~/d: the bucket ${closed.bucket} cannot be read without credentials (AccessDenied, HTTP 403): give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as secrets, or make it public`,
  );
  expect(await said("job_b")).toContain("(SignatureDoesNotMatch, HTTP 403): give one that is valid");
  expect(await said("job_c")).toContain("there is no bucket no-such-bucket");
  expect(await said("job_d")).toContain(`there is nothing at s3://${open.bucket}/nothing/here`);
  expect(await said("job_e")).toContain("give both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither");
  expect(bench.agentLog()).not.toContain("s3cret");
});

test.concurrent("a store that nobody reaches is not tried for long, and it is said what to do", async () => {
  await using bench = await Bench.open();
  const mounts = [from("~/d", "s3://muster-no-such-bucket/a")];
  // A region that is none has no host; nothing listens at the first port.
  bench.plane.assign("job_a", { mounts, env: { AWS_REGION: "nowhere-1" }, run: "true" });
  bench.plane.assign("job_b", { mounts, env: { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" }, run: "true" });
  const began = Date.now();
  await bench.agent();
  const [one, two] = await Promise.all(["job_a", "job_b"].map(job => bench.exit(job, 1, 50_000)));
  expect(Date.now() - began).toBeLessThan(40_000);
  expect(one).toMatchObject({
    cause: "inputs_failed",
    message: expect.stringMatching(/: see that the host reaches S3, or set AWS_ENDPOINT_URL_S3$/),
  });
  expect(two?.message).toBe(
    "mount ~/d: the bucket muster-no-such-bucket could not be read (connect ECONNREFUSED 127.0.0.1:1): see that the host reaches http://127.0.0.1:1, or set another AWS_ENDPOINT_URL_S3",
  );
}, 60_000);

test.concurrent("a job that is cancelled while it is copied ends at once", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  s3.put({ "a/one": "1" });
  s3.fault = (_, isList) => (isList ? undefined : 503);
  bench.plane.assign("job_a", { mounts: [from("~/d", `s3://${s3.bucket}/a`)], env: s3.env, run: "touch ~/ran" });
  await bench.agent();
  await until("a try", () => s3.reads.length > 0);
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a", 1, 2_000)).toMatchObject({ cause: "cancelled" });
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("where a job's buckets are asked for is the job's to say, and never the host's", () => {
  const cluster = { MUSTER_CLUSTER_INFO: JSON.stringify({ cloud: "aws", region: "eu-west-3" }) };
  expect(accessOf("m", {})).toEqual({ credentials: undefined, region: "us-east-1", endpoint: undefined });
  expect(accessOf("m", cluster).region).toBe("eu-west-3");
  expect(accessOf("m", { ...cluster, AWS_DEFAULT_REGION: "eu-west-2" }).region).toBe("eu-west-2");
  expect(accessOf("m", { AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-2" }).region).toBe("eu-west-1");
  expect(accessOf("m", { AWS_ENDPOINT_URL: "https://s3.example/base/" }).endpoint).toBe("https://s3.example/base");
  for (const region of ["evil.example/", "a@b", "UP"])
    expect(() => accessOf("m", { AWS_REGION: region })).toThrow("not the name of a region");
  for (const url of ["ftp://x", "https://u:p@x", "https://x?y"])
    expect(() => accessOf("m", { AWS_ENDPOINT_URL: url })).toThrow("must be an address");
  expect(sourceOf("m", "s3://bucket")).toEqual({ bucket: "bucket", prefix: "" });
  expect(sourceOf("m", "s3://my.bucket/a//b c/")).toEqual({ bucket: "my.bucket", prefix: "a//b c/" });
  for (const bad of ["gs://bucket", "s3://", "s3://UP/x", "s3://-x/y"])
    expect(() => sourceOf("m", bad)).toThrow("not a bucket");
});

test.concurrent("the XML reader reads what was written, and refuses what is no XML", () => {
  const written = fc.string({ unit: "grapheme", maxLength: 20 });
  const escaped = (text: string): string =>
    text.replace(/[&<>"'\r]/g, char => `&#${(char.codePointAt(0) ?? 0).toString()};`);
  fc.assert(
    fc.property(fc.array(written, { maxLength: 5 }), fc.boolean(), (texts, raw) => {
      const items = texts.map(text =>
        raw && !text.includes("]]>") ? `<K><![CDATA[${text}]]></K>` : `<K a="1">${escaped(text)}</K>`,
      );
      const read = parse(`<?xml version="1.0"?>\n<!-- <x> -->\n<R xmlns="u">${items.join("\n")}<E/></R>\n`);
      expect(all(read, "K").map(one => one.text)).toEqual(texts);
      expect(textOf(read, "E")).toBe("");
    }),
  );
  expect(parse("<a>&lt;&#x1F984;&amp;amp;</a>").text).toBe("<🦄&amp;");
  const bad = ["", "text", "<a>", "<a></b>", "<a></a></a>", "<a/><b/>", "<a>&nbsp;</a>", "<a>&</a>", "<a>x", "</a>"];
  const types = ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "<a><!DOCTYPE b></a>", "<a>&#x110000;</a>"];
  for (const text of [...bad, ...types]) expect(() => parse(text), text).toThrow("XML");
});

test.concurrent("a large object arrives as it is", async () => {
  await using s3 = await S3.open();
  await using bench = await Bench.open();
  const bytes = Buffer.alloc(20_000_000, "0123456789abcdef");
  s3.objects.set("big", { bytes, modifiedAt: 0 });
  bench.plane.assign("job_a", {
    mounts: [from("~/big", `s3://${s3.bucket}/big`)],
    env: s3.env,
    run: "sha256sum <~/big",
  });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toContain(createHash("sha256").update(bytes).digest("hex"));
});
