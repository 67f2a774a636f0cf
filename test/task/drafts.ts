/** Made-up drafts: whatever a task of Muster's own may hold. */
import { RetryCause } from "@muster/core/task/retry.ts";
import type { Draft } from "@muster/task/read.ts";
import * as fc from "fast-check";
import { choice, name, resources } from "./draft-machines.ts";
import { line, text } from "./draft-text.ts";

const variable = fc.oneof(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,12}$/), fc.constantFrom("on", "yes", "null", "Y"));
const path = line(200).filter(
  value => !/[/$]$|\.\.|^~|:\/\/|\$|\/sky_workdir/.test(value) && value !== "__proto__" && !/@[\w.-]+:/.test(value),
);
const place = fc
  .oneof(
    path,
    path.map(value => `/data/${value}`),
    path.map(value => `~/${value}`),
  )
  .filter(value => !value.endsWith("/"));
const folder = fc.oneof(
  path,
  fc.record(
    {
      url: fc.constantFrom(
        "https://github.com/you/code.git",
        "git@github.com:you/code.git",
        "ssh://git@example.com/a.git",
      ),
      ref: fc.constantFrom("main", "yes", "007", "v1.0", "refs/heads/x"),
    },
    { requiredKeys: ["url"] },
  ),
);
const mode = fc.constantFrom("copy" as const, "mount" as const, "mount_cached" as const);
const mount = fc.oneof(
  fc.record({ source: path }),
  fc.record({ source: fc.constantFrom("s3://lab-data", "s3://lab-data/a b/#c", "s3://1.2/yes"), mode }),
);
const bit = fc.oneof(line(30), fc.constantFrom("--index-url", "https://pypi.example.com/simple", "no", "1e-5", "''"));
const pack = fc.oneof(
  fc.record({
    method: fc.constantFrom("pip" as const, "conda" as const, "reqs" as const, "local" as const),
    source: fc.oneof(
      fc.constantFrom("torch==2.4", "numpy", "./", "~/lib", "a[b]>=1,<2", "yes"),
      line(40).filter(value => !/^-|:\/\//.test(value)),
    ),
    args: fc.array(bit, { maxLength: 3 }),
  }),
  fc.record(
    {
      method: fc.constantFrom("pip" as const, "reqs" as const),
      source: fc.constantFrom("https://github.com/you/code", "https://git.example.com/a.git"),
      args: fc.array(bit, { maxLength: 1 }),
      revision: fc.constantFrom("main", "0123abc", "1.0", "on"),
    },
    { requiredKeys: ["method", "source", "args"] },
  ),
);
const minutes = fc.oneof(
  fc.integer({ min: 1, max: 10_000 }),
  fc.integer({ min: 1, max: 999 }).map(count => count / 4),
);
const clock = fc.integer({ min: 0, max: 24 * 60 - 1 }).map(minutes => {
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map(part => String(part).padStart(2, "0"));
  return `${hour}:${minute}`;
});
const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const script = text.filter(value => value.trim() !== "" && value.length <= 4096);
/** What keeps a cluster, and what runs before it stops. */
const keeping = fc.record(
  {
    waitFor: fc.constantFrom("jobs" as const, "jobs_and_sessions" as const, "none" as const),
    cpuBelow: fc.integer({ min: 1, max: 1_000_000 }).map(count => count / 1_000_000),
    gpuBelow: fc.integer({ min: 1, max: 100 }).map(count => count / 100),
    command: script,
    keep: fc.record({
      zone: fc.constantFrom("UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"),
      hours: fc.array(
        fc.record({ days: fc.array(fc.constantFrom(...WEEK), { minLength: 1, maxLength: 9 }), from: clock, to: clock }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    hook: fc.record(
      { run: script, timeout: fc.integer({ min: 1, max: 240 }).map(count => count / 4) },
      { requiredKeys: ["run"] },
    ),
  },
  { requiredKeys: [] },
);
const policy = fc.oneof(
  fc.record({
    after: fc.oneof(minutes, fc.constant(0)),
    action: fc.constantFrom("stop" as const, "terminate" as const),
  }),
  fc.record({
    after: minutes,
    action: fc.constant("stop" as const),
    then: fc.record({ after: minutes.map(count => count + 1), action: fc.constant("terminate" as const) }),
  }),
);
const idle = fc.oneof(
  fc.constant("never" as const),
  policy,
  fc.tuple(policy, keeping).map(([policy, keeping]) => ({ ...policy, ...keeping })),
);
const groups = fc
  .uniqueArray(name, { minLength: 1, maxLength: 3, selector: value => value.toLowerCase() })
  .chain(names =>
    fc.tuple(
      ...names.map((one, index) =>
        fc.record({
          name: fc.constant(one),
          nodes: fc.integer({ min: 1, max: 300 }),
          resources: choice.map(({ provider: _, ...rest }) => rest),
          schedulable: index === 0 ? fc.constant(true) : fc.boolean(),
        }),
      ),
    ),
  );

const option = fc.oneof(
  fc.constantFrom(
    "--shm-size=8g",
    "--privileged",
    "--label=a b",
    "--env=A='b'",
    '--env=B="c d"',
    "--ulimit=core=0",
    "-v/a:/b",
  ),
  line(30).map(value => `--label=${value}`),
);
const container = fc.record({
  image: fc.constantFrom("ubuntu", "ghcr.io/you/it:1.0", "localhost:5000/a/b__c", `a/b@sha256:${"0".repeat(64)}`),
  options: fc.array(option, { maxLength: 3 }),
});

const code = fc.integer({ min: 1, max: 255 });
const retry = fc
  .record(
    {
      max: fc.integer({ min: 0, max: 1000 }),
      on: fc.uniqueArray(fc.constantFrom(...RetryCause.options), { minLength: 1 }),
      exitCodes: fc.uniqueArray(code, { minLength: 1, maxLength: 5 }),
      backoff: fc.integer({ min: 0, max: 3600 }),
    },
    { requiredKeys: ["max", "on", "backoff"] },
  )
  // Codes without their cause are read as if it were there.
  .filter(({ on, exitCodes }) => exitCodes === undefined || on.includes("exit_code"));

const numbers = fc.tuple(fc.integer(), fc.nat(1e9)).map(([low, more]): [number, number] => [low, low + more]);
const positives = fc
  .tuple(fc.integer({ min: 1, max: 1e12 }), fc.nat(1e9))
  .map(([low, more]): [number, number] => [low / 1e9, (low + more) / 1e9]);
const lists = fc.record({
  values: fc.array(fc.oneof(text, fc.integer(), fc.constantFrom(0.1, -2.5, 4096), fc.boolean()), {
    minLength: 1,
    maxLength: 4,
  }),
});
const draws = fc.oneof(
  lists,
  fc.record({ uniform: numbers }),
  fc.record({ logUniform: positives }),
  fc.record({ normal: positives }),
  fc.record({ logNormal: positives }),
  fc.record({ integer: numbers }),
);
const seed = fc.nat(2 ** 31);
const params = <T>(one: fc.Arbitrary<T>) =>
  fc.dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,12}$/), one, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
const atOnce = fc.integer({ min: 1, max: 100_000 });
const runs = fc.oneof(
  fc.record({ count: atOnce, concurrent: atOnce }, { requiredKeys: ["count"] }),
  fc.record(
    {
      count: atOnce,
      concurrent: atOnce,
      sweep: fc.record({ type: fc.constant("random" as const), params: params(draws), seed }),
    },
    { requiredKeys: ["count", "sweep"] },
  ),
  fc.record(
    { concurrent: atOnce, sweep: fc.record({ type: fc.constant("grid" as const), params: params(lists), seed }) },
    { requiredKeys: ["sweep"] },
  ),
);

const labels = fc.dictionary(
  fc.oneof(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_./-]{0,20}$/), fc.constantFrom("on", "no", "1.0", "null")),
  fc.oneof(line(40), fc.constantFrom("", "yes", "007", "null", "~", "1e-5")),
  { minKeys: 1, maxKeys: 8, noNullPrototype: true },
);
const kinds = fc.constantFrom("env", "secret", "stored", "missingEnv", "missingSecret");
const variables = fc.uniqueArray(fc.record({ name: variable, kind: kinds, value: text }), {
  maxLength: 5,
  selector: one => one.name,
});
const places = fc.uniqueArray(fc.record({ path: place, mount }), { maxLength: 3, selector: one => one.path });
export const parts = fc.record(
  {
    name,
    onError: fc.constantFrom("stop" as const, "continue" as const),
    resources,
    groups,
    nodes: fc.integer({ min: 1, max: 1024 }),
    setup: text,
    run: text,
    timeout: fc.integer({ min: 1, max: 31_536_000 }),
    queueTimeout: fc.integer({ min: 1, max: 31_536_000 }),
    retry,
    labels,
    runs,
    container,
    outputs: fc.uniqueArray(fc.oneof(place, fc.constantFrom("results/*.json", "~", "[a]", "x/")), {
      minLength: 1,
      maxLength: 3,
    }),
    checkpoint: place.filter(value => !/[*?[]|^(~|\.|\/)\/*$/.test(value)),
    ray: fc.constant(true),
    services: fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/),
        run: text.filter(value => value !== ""),
        port: fc.integer({ min: 1, max: 65_535 }),
      }),
      { minLength: 1, maxLength: 3, selector: one => one.name },
    ),
    packages: fc.array(pack, { maxLength: 3 }),
    variables,
    places,
    folder,
    idle,
    priority: fc.integer({ min: 0, max: 1000 }),
  },
  { requiredKeys: ["onError", "packages", "variables", "places", "nodes"] },
);

type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never;
type Kind = Parts["variables"][number]["kind"];

/** Without what is not said. */
type Said<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const said = <T extends object>(fields: T): Said<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Said<T>;

export function draftOf(parts: Parts): Draft {
  const { name, onError, packages, setup, run, timeout, queueTimeout, retry, runs, folder, idle, priority, groups } =
    parts;
  const of = (kind: Kind) => parts.variables.filter(one => one.kind === kind);
  const values = (kind: Kind) => Object.fromEntries(of(kind).map(({ name, value }) => [name, value]));
  const files = parts.places.flatMap(({ path, mount }) => ("mode" in mount ? [] : [{ path, ...mount }]));
  const buckets = parts.places.flatMap(({ path, mount }) => ("mode" in mount ? [{ path, ...mount }] : []));
  const task = {
    ...{ onError, packages, envs: values("env"), storedSecrets: of("stored").map(one => one.name) },
    // Such a text names a stored secret.
    secrets: Object.fromEntries(Object.entries(values("secret")).filter(([, value]) => !value.startsWith("secrets:"))),
    resources: groups === undefined ? (parts.resources ?? {}) : {},
    nodes: groups === undefined ? parts.nodes : 1,
    ...said({
      name,
      setup,
      run,
      timeout,
      queueTimeout,
      retry,
      labels: parts.labels,
      runs,
      container: parts.container,
      outputs: parts.outputs,
      checkpoint: parts.checkpoint,
      ray: parts.ray,
      services: parts.services,
    }),
  };
  const missing = (["missingEnv", "missingSecret"] as const).flatMap(kind =>
    of(kind).map(({ name }) => {
      const where = kind === "missingEnv" ? ("envs" as const) : ("secrets" as const);
      return { name, kind: where, at: { path: `${where}.${name}` } };
    }),
  );
  return {
    ...{ task, fileMounts: files, buckets, missing },
    ...said({ workdir: folder, groups, idle, priority }),
  };
}
