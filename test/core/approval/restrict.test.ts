/** What strangers' commits may launch. Pure functions. */
import { restricted } from "@muster/core/approval/restrict.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { expect, test } from "vitest";

const HASH = "a".repeat(64);
const launch = (more: object = {}, task: object = {}): Launch.Create =>
  Launch.Create.parse({ task: { run: "make test", ...task }, ...more });

test("it has a cluster of its own, which ends with it", () => {
  const asked = launch(
    { shared: true, down: false, target: "gpu", priority: 3 },
    { resources: { accelerators: { T4: 1 } }, envs: { A: "1" } },
  );
  expect(restricted(asked)).toEqual({ ...asked, shared: false, down: true });
});

test("a managed job, groups of hosts and a container may be", () => {
  const groups = [{ name: "main", nodes: 2, resources: { instanceType: "small", image: "docker:python:3.13" } }];
  expect(restricted(launch({ groups }, { container: { image: "python:3.13" } }))).toMatchObject({ down: true });
  expect(restricted(launch({ managed: true }))).toMatchObject({ managed: true, down: true });
});

const REFUSED: readonly [path: string, more: object, task: object][] = [
  ["cluster", { cluster: "prod" }, {}],
  ["pool", { pool: "warm", cluster: "x" }, {}],
  ["force", { force: true }, {}],
  ["maxConcurrentJobs", { maxConcurrentJobs: 2 }, {}],
  ["after", { after: [{ job: "job_01ARZ3NDEKTSV4RRFFQ69G5FAV" }] }, {}],
  ["task.storedSecrets", {}, { storedSecrets: ["HF_TOKEN"] }],
  ["task.secrets", {}, { secrets: { A: "x" } }],
  ["task.secretFiles", {}, { secretFiles: { "~/k": "eA==" } }],
  ["task.mounts", {}, { workdir: { packs: [HASH] } }],
  ["task.mounts", {}, { mounts: [{ kind: "file", path: "a", upload: HASH }] }],
  ["task.resources.image", {}, { resources: { image: "ami-123" } }],
  ["task.resources.images", {}, { resources: { images: { "eu-west-1": "ami-1" } } }],
  ["task.resources.subnet", {}, { resources: { subnet: "subnet-1" } }],
  ["task.resources.securityGroups", {}, { resources: { securityGroups: ["sg-1"] } }],
  ["task.resources.reservation", {}, { resources: { reservation: "cr-1" } }],
  [
    "task.resources.subnet",
    {},
    { resources: { anyOf: [{ subnet: "subnet-1" }, { cpus: { count: 2, atLeast: false } }] } },
  ],
  ["task.resources.image", { groups: [{ name: "main", resources: { image: "saved:gold" } }] }, {}],
];

test.each(REFUSED)("%s is refused, and named", (path, more, task) => {
  try {
    restricted(launch(more, task));
  } catch (error) {
    expect(error).toBeInstanceOf(MusterError);
    const { code, details } = error as MusterError;
    expect(code).toBe("invalid_request");
    expect(details.issues?.map(issue => issue.path)).toContain(path);
    return;
  }
  throw new Error("it was let through");
});

test("a role is refused, should tasks have one some day", () => {
  const asked = launch();
  const task = { ...asked.task, role: "admin" };
  expect(() => restricted({ ...asked, task })).toThrow(/task\.role/);
});
