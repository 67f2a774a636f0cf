import { read, sentence } from "@muster/task/read.ts";
import { problems } from "./support.ts";

export const lines: Readonly<Record<string, string>> = {
  name: "demo",
  factories_num: "2",
  factories_type: "g5.xlarge",
  orchestrator_type: "t3.large",
  key_name: "k",
  security_group: "sg-1",
  subnet_id: "subnet-1",
  creator: "ana",
  key: "~/.ssh/k",
};

/** A sound cluster with some of its lines changed; undefined takes one out. */
export function aws(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const all = Object.entries({ ...lines, ...changes }).filter(([, value]) => value !== undefined);
  return `!AWSCluster\n${all.map(([key, value]) => `${key}: ${value}\n`).join("")}`;
}

export const ssh = (changes: Readonly<Record<string, string>> = {}): string =>
  `!SSHCluster\n${Object.entries({
    name: "lab",
    orchestrator_ip: "10.0.0.1",
    factories_ips: "[10.0.0.2]",
    key: "k",
    username: "u",
    ...changes,
  })
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("")}`;

export const told = (text: string): string[] => problems(text).map(sentence);
export const cluster = (text: string) => read(text).clusters?.[0];
