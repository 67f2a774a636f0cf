/** The same task in two dialects: what becomes of it is the same. Pure. */
import { expect, test } from "vitest";
import { read } from "./support.ts";

const skypilot = `
name: tune-7b
num_nodes: 2
workdir: ./code
resources:
  cloud: AWS
  region: us-east-1
  zone: us-east-1b
  accelerators: {A100: 8}
  cpus: 32+
  memory: 256+
  instance_type: p4d.24xlarge
  use_spot: true
  disk_size: 500
  disk_tier: High
  image_id: { us-east-1: ami-1, us-west-2: ami-2 }
envs:
  MODEL: org/base
  STEPS: 100
  QUIET: true
file_mounts:
  /in:
    source: s3://team-data/in
    mode: MOUNT
  ~/.netrc: ~/.netrc
  /out: s3://team-data/out
setup: |
  pip install -r requirements.txt
run: |
  echo "\${MODEL} \${SKYPILOT_NODE_RANK}"
`;

const oumi = `
name: tune-7b
num_nodes: "2"
working_dir: ./code
resources:
  cloud: aws
  region: us-east-1
  zone: us-east-1b
  accelerators: "A100:8"
  cpus: "32+"
  memory: "256+"
  instance_type: p4d.24xlarge
  use_spot: "yes"
  disk_size: "500"
  disk_tier: high
  image_id_map: { us-east-1: ami-1, us-west-2: ami-2 }
envs:
  MODEL: org/base
  STEPS: 100
  QUIET: true
storage_mounts:
  /in: { source: s3://team-data/in, store: s3 }
file_mounts:
  ~/.netrc: ~/.netrc
  /out: s3://team-data/out
setup: |
  pip install -r requirements.txt
run: |
  echo "\${MODEL} \${SKYPILOT_NODE_RANK}"
`;

test("a task of SkyPilot's and a job of Oumi's that say the same are the same", () => {
  const [one, other] = [read(skypilot), read(oumi)];
  expect([one.dialect, other.dialect]).toEqual(["skypilot", "oumi"]);
  expect([one.unsupported, other.unsupported]).toEqual([[], []]);
  expect(other.draft).toEqual(one.draft);
  expect(one.draft).toMatchObject({
    task: { onError: "continue", nodes: 2, envs: { STEPS: "100", QUIET: "True" } },
    workdir: "./code",
    fileMounts: [{ path: "~/.netrc", source: "~/.netrc" }],
    buckets: [
      { path: "/in", source: "s3://team-data/in", mode: "mount" },
      { path: "/out", source: "s3://team-data/out", mode: "copy" },
    ],
  });
});
