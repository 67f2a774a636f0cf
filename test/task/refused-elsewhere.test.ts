/**
 * One refusal for every rule of what Muster does nothing with yet, files of several documents, and Oumi jobs:
 * the whole message, with its path, line and suggestion. Pure.
 */
import { type Options, sentence } from "@muster/task/read.ts";
import { expect, test } from "vitest";
import { problems } from "./support.ts";

const refused: readonly [text: string, told: readonly string[], options?: Options][] = [
  [
    "working_dir: .\nrun: x\nresources: {cloud: aws}\nworkdir: .",
    ["workdir (line 4): is not a key of an Oumi job; did you mean 'working_dir'?"],
  ],
  [
    "service: {readiness_prob: /}",
    ["service.readiness_prob (line 1): is not a key that Muster knows; did you mean 'readiness_probe'?"],
  ],
  [
    "service: {readiness_probe: {path: /, post: 1}}",
    ["service.readiness_probe.post (line 1): is not a key that Muster knows"],
  ],
  ["service: {readiness_probe: {timeout_seconds: 1}}", ["service.readiness_probe.path (line 1): is missing"]],
  ["service: {readiness_probe: /, replicas: two}", ["service.replicas (line 1): must be a whole number, and is text"]],
  ["service: {replica_policy: {max_replicas: 2}}", ["service.replica_policy.min_replicas (line 1): is missing"]],
  [
    "service: {replica_policy: {min_replicas: 1, target_qps_per_replica: {A100: x}}}",
    ["service.replica_policy.target_qps_per_replica.A100 (line 1): must be a number, and is text"],
  ],
  [
    "service: {replicas: 1, replica_policy: {min_replicas: 1}}",
    ["service (line 1): has both replicas and replica_policy; keep one of them"],
  ],
  [
    "service: {load_balancing_policy: roundrobin}",
    [
      "service.load_balancing_policy (line 1): must be one of round_robin, least_load, instance_aware_least_load, and is \"roundrobin\"; did you mean 'round_robin'?",
    ],
  ],
  ["service: {tls: {keyfile: a}}", ["service.tls.certfile (line 1): is missing"]],
  ["pool: {worker: 3}", ["pool.worker (line 1): is not a key that Muster knows; did you mean 'workers'?"]],
  ["pool: {workers: -1}", ["pool.workers (line 1): must be at least 0"]],
  ["volumes: [a]", ["volumes (line 1): must be a map, and is a list"]],
  ["volumes: {/a: {nam: x}}", ["volumes./a.nam (line 1): is not a key that Muster knows; did you mean 'name'?"]],
  [
    "config: {kuberntes: {}}",
    ["config.kuberntes (line 1): is not a key that Muster knows; did you mean 'kubernetes'?"],
  ],
  [
    "config: {docker: {run_option: x}}",
    ["config.docker.run_option (line 1): is not a key that Muster knows; did you mean 'run_options'?"],
  ],
  ["config: [a]", ["config (line 1): must be a map, and is a list"]],
  ["inputs: {a: b}", ["inputs.a (line 1): must be a number, and is text"]],
  ["event_callback: [a]", ["event_callback (line 1): must be text, and is a list"]],
  ["api_server_access: 'yes'", ["api_server_access (line 1): must be true or false, and is text"]],
  [
    "resources: {job_recovery: {max_restarts: 1}}",
    ["resources.job_recovery.max_restarts (line 1): is not a key that Muster knows"],
  ],
  [
    "resources: {job_recovery: {recover_on_exit_codes: [300]}}",
    ["resources.job_recovery.recover_on_exit_codes.0 (line 1): must be 255 at most"],
  ],
  [
    "resources: {accelerator_args: {runtime: x}}",
    ["resources.accelerator_args.runtime (line 1): is not a key that Muster knows"],
  ],
  ["resources: {hooks: [{events: [stop]}]}", ["resources.hooks.0.run (line 1): is missing"]],
  ["execution: both", ['execution (line 1): must be serial or parallel, and is "both"']],
  [
    "name: a\nprimary_tasks: [c]\nexecution: parallel\n---\nname: b\nrun: x\n---\nname: d\nrun: y",
    ["document 1: primary_tasks.0 (line 2): no task of this file is called 'c'; did you mean 'b'?"],
  ],
  [
    "run: x\n---\nresources: {cpu: 1}",
    ["document 2: resources.cpu (line 3): is not a key that Muster knows; did you mean 'cpus'?"],
  ],
  ["run: x\n---\n- a", ["document 2 (line 3): must be a map of keys such as `run:`, and is a list"]],
  [
    "run: x\n---\nrun: y",
    ["num_nodes: cannot be said of a file of 2 documents; write it in the file, in the document that it is meant for"],
    { overrides: ["num_nodes=2"] },
  ],
  [
    "name: 'a b'\n---\nrun: x\n---\nrun: y",
    ["document 1: name (line 1): use letters, digits, '.', '_' and '-', 63 at most, no sign at either end; write a-b"],
  ],
  ["working_dir: .\nrun: x\nresources: { cloud: aws }\nnosuch: 1", ["nosuch (line 4): is not a key of an Oumi job"]],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nworkdir: .",
    ["workdir (line 4): is not a key of an Oumi job; did you mean 'working_dir'?"],
  ],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nfile_mounts: {/a: x}\nstorage_mounts: {/a: {source: s3://abc, store: s3}}",
    ["file_mounts./a (line 4): says the same as storage_mounts./a: keep one of them"],
  ],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nstorage_mounts: {/a: {source: s3://abc, store: azure}}",
    ['storage_mounts./a.store (line 4): must be one of s3, gcs, r2, and is "azure"'],
  ],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nstorage_mounts: {/a: {source: gs://abc, store: s3}}",
    ["storage_mounts./a.source (line 4): is no bucket of s3; write s3://…"],
  ],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nstorage_mounts: {/a: {source: here, store: s3}}",
    ["storage_mounts./a.source (line 4): must be a bucket such as s3://name/path"],
  ],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nstorage_mounts: {/a: {}}",
    ["storage_mounts./a.source (line 4): is missing", "storage_mounts./a.store (line 4): is missing"],
  ],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nstorage_mounts: {/a: s3://abc}",
    [
      "storage_mounts./a (line 4): must be a map of source and store, and is text; such as { source: s3://name/path, store: s3 }",
    ],
  ],
  ["working_dir: .\nrun: x\nresources: { cloud: aws }\nnum_nodes: 0", ["num_nodes (line 4): must be at least 1"]],
  [
    "working_dir: .\nrun: x\nresources: { cloud: aws }\nrun: y",
    ["run (line 4): is there twice: on line 2, and again here"],
  ],
  [
    "working_dir: .\nrun: x",
    ["resources.cloud: is missing, and an Oumi job must have it; say --resources.cloud local"],
  ],
  ["working_dir: .\nresources: {cloud: aws}", ["run: is missing, and an Oumi job must have it"]],
  [
    "working_dir: https://x/y\nrun: x\nresources: {cloud: aws}",
    ["working_dir (line 1): must be a local folder, and is a URL"],
  ],
  [
    "working_dir: .\nrun: x\nresources: {cloud: aws, disk_size: 500GB}",
    ["resources.disk_size (line 3): must be a whole number, and is text"],
  ],
  [
    "working_dir: .\nrun: x\nresources: {cloud: aws, accelerators: {A100: 1}}",
    ["resources.accelerators (line 3): must be text such as A100 or A100:4, and is a map"],
  ],
  [
    "working_dir: .\nrun: x\nresources: {cloud: aws, ports: 1}",
    ["resources.ports (line 3): is not a key of an Oumi job"],
  ],
  [
    "working_dir: .\nrun: x\nresources: {cloud: aws, use_spot: maybe}",
    ["resources.use_spot (line 3): must be true or false, and is text"],
  ],
];

test.each(refused)("%j", (text, told, options) => {
  expect(problems(`${text}\n`, options).map(sentence)).toEqual(told);
});
