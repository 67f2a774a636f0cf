/** What SkyPilot can do and Muster cannot yet: listed with a reason, or harmless and only a warning. Pure. */
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

describe("cannot be done", () => {
  test.each([
    [
      "service: { readiness_probe: { path: /, post_data: '{}', headers: { A: b } }, replicas: 1 }",
      "service",
      "replicas of a server",
    ],
    [
      "service: { readiness_probe: /, replica_policy: { min_replicas: 1, spot_placer: dynamic_fallback } }",
      "service",
      "address",
    ],
    ["pool: { min_workers: 1, max_workers: 3, queue_length_threshold: 2 }", "pool", "workers"],
    ["volumes: { /mnt: { name: a, size: 10Gi } }", "volumes", "outlive"],
    ["volume_mounts: [{ path: /mnt, volume_name: a, is_ephemeral: false }]", "volume_mounts", "outlive"],
    ["resources: { volumes: [{ path: /mnt, disk_size: 10, auto_delete: true }] }", "resources.volumes", "outlive"],
    ["resources: { local_disk: nvme }", "resources.local_disk", "disks"],
    ["resources: { ephemeral_storage: 50 }", "resources.ephemeral_storage", "disks"],
    ["resources: { accelerator_args: { tpu_vm: true } }", "resources.accelerator_args", "TPUs"],
    ["resources: { hooks: [{ run: sync, events: [stop], timeout: 30 }] }", "resources.hooks", "before a cluster stops"],
    ["resources: { preemption: { hook: sync, hook_timeout: 60 } }", "resources.preemption", "before a cluster stops"],
    ["resources: { preemption_hook: sync }", "resources.preemption_hook", "before a cluster stops"],
    [
      "resources: { termination_hook: { command: sync, timeout: 90 } }",
      "resources.termination_hook",
      "before a cluster stops",
    ],
    [
      "resources: { job_recovery: { strategy: DYNAMIC_NODE_SET, min_nodes: 1 } }",
      "resources.job_recovery",
      "fewer machines",
    ],
    ["volumes: { /mnt: { size: 1Gi, labels: { a: b } } }", "volumes", "outlive"],
    ["service: { readiness_probe: /, load_balancing_policy: $POLICY }", "service", "replicas of a server"],
    [
      "service: { readiness_probe: /, https: { key: a, cert: b }, route53_hosted_zone: c, external_load_balancers: [{}] }",
      "service",
      "replicas of a server",
    ],
    ["resources: { priority_class: high }", "resources.priority_class", "priority"],
    ["event_callback: ./tell.sh", "event_callback", "told of each change"],
    ["api_server_access: true", "api_server_access", "API"],
    ["file_mounts_mapping: { a: b }", "file_mounts_mapping", "another launcher"],
    ["config: { aws: { vpc_name: x } }", "config.aws", "another launcher"],
    ["config: { hooks: [{ run: sync }] }", "config.hooks", "before a cluster stops"],
    ["config: { nvidia_gpus: { disable_ecc: true } }", "config.nvidia_gpus", "another launcher"],
    ["config: { someplugin: { a: 1 } }", "config.someplugin", "another launcher"],
    ["resources: { infra: gcp }\nconfig: { gcp: { vpc_name: x } }", "config.gcp", "another launcher"],
    [
      "resources: { any_of: [{ infra: k8s }] }\nconfig: { kubernetes: { pod_config: {} } }",
      "config.kubernetes",
      "another launcher",
    ],
  ])("%s", (text, path, why) => {
    expect(read(`${text}\n`)).toMatchObject({
      warnings: [],
      unsupported: [{ path, why: expect.stringContaining(why) }],
    });
  });
});

describe("does no harm", () => {
  test.each([
    ["inputs: { s3://bucket: 10 }", "inputs: "],
    ["outputs: { s3://bucket: 0.5 }", "outputs: "],
    ["config: { gcp: { vpc_name: x } }", "config.gcp: matters on gcp only"],
    [
      "resources: { infra: aws }\nconfig: { kubernetes: { pod_config: {} } }",
      "config.kubernetes: matters on kubernetes only",
    ],
  ])("%s", (text, warning) => {
    expect(read(`${text}\n`)).toMatchObject({ unsupported: [], warnings: [expect.stringContaining(warning)] });
  });

  test.each(["resources: { job_recovery: none }", "resources: { spot_recovery: NONE }", "api_server_access: false"])(
    "%s, and nothing is said of it",
    text => {
      expect(read(`${text}\n`)).toMatchObject({ unsupported: [], warnings: [] });
    },
  );
});

describe("a file that is no task", () => {
  test.each([
    ["aws: { vpc_name: x }\njobs: { controller: {} }", "a file of SkyPilot's own settings, not a task file"],
    ["kubernetes:\n  pod_config: {}", "a file of SkyPilot's own settings, not a task file"],
    ["name: v\ntype: k8s-pvc\ninfra: k8s\nsize: 10Gi", "a volume of SkyPilot's, not a task file"],
    ["model: { model_name: x }\ntraining: { steps: 1 }", "a training config, not a job file"],
  ])("%j is told for what it is, in one error", (text, what) => {
    expect(problems(`${text}\n`)).toEqual([
      { path: "", message: `this is ${what}`, suggestion: expect.stringMatching(/\w/) },
    ]);
  });

  test.each(["aws: { vpc_name: x }\nrun: x", "type: x\nsize: 1\nresources: { cpus: 1 }", "aws: x"])(
    "%j is a task with slips",
    text => {
      expect(problems(`${text}\n`)[0]).toMatchObject({ message: "is not a key that Muster knows" });
    },
  );
});
