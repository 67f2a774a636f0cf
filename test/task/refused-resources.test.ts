/**
 * One refusal for every rule of what a task says of its machines and of itself:
 * the whole message, with its path, line and suggestion. Pure.
 */
import { sentence } from "@muster/task/read.ts";
import { expect, test } from "vitest";
import { problems } from "./support.ts";

const refused: readonly [text: string, told: readonly string[]][] = [
  [
    "resources: { infra: aws/us-east-1, region: us-east-1 }",
    ["resources.region (line 1): says the same as resources.infra: keep one of them"],
  ],
  [
    "resources: { infra: aws, cloud: aws }",
    ["resources.infra (line 1): says the same as resources.cloud: keep one of them"],
  ],
  [
    "resources: { infra: aws/a/b/c }",
    ['resources.infra (line 1): must be cloud, cloud/region or cloud/region/zone, and is "aws/a/b/c"'],
  ],
  ["resources: { cloud: asw }", ["resources.cloud (line 1): names no cloud: 'asw'; did you mean 'aws'?"]],
  ["resources: { infra: gpc/us }", ["resources.infra (line 1): names no cloud: 'gpc'; did you mean 'gcp'?"]],
  [
    "resources: { cloud: kuberntes }",
    ["resources.cloud (line 1): names no cloud: 'kuberntes'; did you mean 'kubernetes'?"],
  ],
  ["resources: { cloud: '' }", ["resources.cloud (line 1): is empty; leave the key out"]],
  [
    "resources: { gpus: L4, accelerators: L4 }",
    ["resources.gpus (line 1): says the same as resources.accelerators: keep one of them"],
  ],
  [
    "resources: { accelerators: A100:0 }",
    ["resources.accelerators (line 1): asks for 0 of A100; the least is more than 0"],
  ],
  [
    "resources: { accelerators: 'A100:x' }",
    ['resources.accelerators (line 1): "A100:x" is not an accelerator; write it such as A100 or A100:4'],
  ],
  [
    "resources: { accelerators: true }",
    ["resources.accelerators (line 1): must be text such as A100 or A100:4, and is the boolean true"],
  ],
  ["resources: { accelerators: [] }", ["resources.accelerators (line 1): names no accelerator"]],
  ["resources: { accelerators: {A100: many} }", ["resources.accelerators.A100 (line 1): must be a count, and is text"]],
  [
    "resources: { any_of: [{cpus: 1}], ordered: [{cpus: 2}] }",
    ["resources.ordered (line 1): cannot stand beside resources.any_of: one of them decides"],
  ],
  ["resources: { any_of: {cpus: 1} }", ["resources.any_of (line 1): must be a list of maps, and is a map"]],
  ["resources: { any_of: [] }", ["resources.any_of (line 1): has no alternative in it; leave the key out"]],
  [
    "resources: { any_of: [{autostop: 5}] }",
    ["resources.any_of.0.autostop (line 1): is said once, for all alternatives; write it beside them, in resources"],
  ],
  [
    "resources: { any_of: [{priority: 5}] }",
    ["resources.any_of.0.priority (line 1): is said once, for all alternatives; write it beside them, in resources"],
  ],
  [
    "resources: { any_of: [{any_of: []}] }",
    ["resources.any_of.0.any_of (line 1): is an alternative among alternatives; write all of them in one list"],
  ],
  [
    "resources: { any_of: [{cpu: 5}] }",
    ["resources.any_of.0.cpu (line 1): is not a key that Muster knows; did you mean 'cpus'?"],
  ],
  ["resources: { any_of: [x] }", ["resources.any_of.0 (line 1): must be a map, and is text"]],
  [
    "resources: { any_of: [{cpus: 5000}] }",
    ["resources.any_of.0.cpus (line 1): must be 4096 at most, which is Muster's bound"],
  ],
  ["resources: { use_spot: 'yes', infra: aws }", ["resources.use_spot (line 1): must be true or false, and is text"]],
  [
    "resources: { use_spot: 1, infra: aws }",
    ["resources.use_spot (line 1): must be true or false, and is the number 1"],
  ],
  ["resources: { cpus: 0 }", ["resources.cpus (line 1): must be more than 0"]],
  ["resources: { cpus: many }", ['resources.cpus (line 1): must be a count such as 4 or "4+", and is "many"']],
  [
    "resources: { memory: 16XB }",
    ['resources.memory (line 1): must be a size such as 16, "16GB" or "16+", and is "16XB"'],
  ],
  ["resources: { disk_size: 512MB }", ["resources.disk_size (line 1): must be a whole number of GB"]],
  ["resources: { disk_size: 512MB, infra: aws }", ["resources.disk_size (line 1): must be a whole number of GB"]],
  [
    "resources: { disk_tier: hihg }",
    [
      "resources.disk_tier (line 1): must be one of low, medium, high, ultra, best, and is \"hihg\"; did you mean 'high'?",
    ],
  ],
  ["resources: { network_tier: fast }", ['resources.network_tier (line 1): must be standard or best, and is "fast"']],
  ["resources: { max_hourly_cost: 0 }", ["resources.max_hourly_cost (line 1): must be more than 0"]],
  ["resources: { priority: 1001 }", ["resources.priority (line 1): must be from -1000 to 1000"]],
  ["resources: { priority: high }", ["resources.priority (line 1): must be a whole number, and is text"]],
  ["priority: -1", ["priority (line 1): must be from 0 to 1000"]],
  [
    "priority: 5\nresources: { priority: 0 }",
    ["priority (line 1): says the same as resources.priority: keep one of them"],
  ],
  ["resources: { tenancy: shared }", ['resources.tenancy (line 1): must be default or dedicated, and is "shared"']],
  [
    "resources: { security_groups: [] }",
    ["resources.security_groups (line 1): names no security group; leave the key out"],
  ],
  [
    "resources: { ports: 0 }",
    ['resources.ports (line 1): must be a port or a range, such as 8080 or "8000-8010", from 1 to 65535, and is "0"'],
  ],
  [
    "resources: { ports: 80-70 }",
    [
      'resources.ports (line 1): must be a port or a range, such as 8080 or "8000-8010", from 1 to 65535, and is "80-70"',
    ],
  ],
  [
    "resources: { ports: {a: 1} }",
    ['resources.ports (line 1): must be a port or a range, such as 8080 or "8000-8010", and is a map'],
  ],
  ["resources: { labels: [a] }", ["resources.labels (line 1): must be a map, and is a list"]],
  [
    "resources: { infra: aws, labels: {a: 1} }",
    ['resources.labels.a (line 1): must be text, and is the number 1; put it in quotes: "1"'],
  ],
  [
    "resources: { labels: {'aws:x': y} }",
    ["resources.labels.aws:x (line 1): must not begin with 'aws:', which AWS keeps for itself"],
  ],
  ["resources: { labels: {a: } }", ["resources.labels.a (line 1): must be text, and is empty"]],
  ["resources: { image_id: '' }", ["resources.image_id (line 1): is empty; leave the key out"]],
  ["resources: { image_id: {} }", ["resources.image_id (line 1): names no image; leave the key out"]],
  ["resources: { image_id: {a: [b]} }", ["resources.image_id.a (line 1): must be text, and is a list"]],
  ["idle: soon", ['idle (line 1): must be a time such as "90s", "2h" or "1h30m", and is "soon"']],
  [
    "resources: { autostop: soon }",
    ['resources.autostop (line 1): must be a time such as "90s", "2h" or "1h30m", and is "soon"'],
  ],
  [
    "resources: { autostop: {idle_minutes: -1} }",
    ["resources.autostop.idle_minutes (line 1): must not be negative; write `autostop: false` for never"],
  ],
  ["resources: { autostop: {idle: 5} }", ["resources.autostop.idle (line 1): is not a key that Muster knows"]],
  [
    "resources: { autostop: {wait_for: ssh} }",
    ['resources.autostop.wait_for (line 1): must be one of jobs, jobs_and_ssh, none, and is "ssh"'],
  ],
  ["num_nodes: 0", ["num_nodes (line 1): must be at least 1"]],
  ["num_nodes: -2", ["num_nodes (line 1): must be at least 1"]],
  ["num_nodes: '4'", ["num_nodes (line 1): must be a whole number, and is text"]],
  ["num_nodes: 1.5", ["num_nodes (line 1): must be a whole number, and is the number 1.5"]],
  ["nodes: 1\nnum_nodes: 1", ["nodes (line 1): says the same as num_nodes: keep one of them"]],
  [
    "name: 'my job!'",
    ["name (line 1): use letters, digits, '.', '_' and '-', 63 at most, no sign at either end; write my-job"],
  ],
  ["name: 7", ['name (line 1): must be text, and is the number 7; put it in quotes: "7"']],
  ["run: [a]", ["run (line 1): must be text, and is a list; write `run: |`, and a line for each command"]],
  ["nmae: x", ["nmae (line 1): is not a key that Muster knows; did you mean 'name'?"]],
  [
    "accelerators: L4",
    ["accelerators (line 1): is not a key that Muster knows; did you mean 'resources.accelerators'?"],
  ],
  ["on_error: stpo", ["on_error (line 1): must be stop or continue, and is \"stpo\"; did you mean 'stop'?"]],
  ["timeout: 0", ["timeout (line 1): must be more than 0"]],
];

test.each(refused)("%j", (text, told) => {
  expect(problems(`${text}\n`).map(sentence)).toEqual(told);
});
