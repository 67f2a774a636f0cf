/** What SkyPilot can do and Muster cannot yet: listed with a reason, or harmless and only a warning. Pure. */
import { describe, expect, test } from "vitest";
import { read } from "./support.ts";

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
    [
      "resources: { job_recovery: { strategy: FAILOVER, max_restarts_on_errors: 3, recover_on_exit_codes: 3 } }",
      "resources.job_recovery",
      "begun again",
    ],
    ["resources: { accelerator_args: { tpu_vm: true } }", "resources.accelerator_args", "TPUs"],
    ["resources: { hooks: [{ run: sync, events: [stop], timeout: 30 }] }", "resources.hooks", "before a cluster stops"],
    ["resources: { priority_class: high }", "resources.priority_class", "priority"],
    ["event_callback: ./tell.sh", "event_callback", "told of each change"],
    ["api_server_access: true", "api_server_access", "API"],
    ["file_mounts_mapping: { a: b }", "file_mounts_mapping", "another launcher"],
    ["config: { docker: { run_options: --shm-size=1g } }", "config.docker", "containers"],
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
