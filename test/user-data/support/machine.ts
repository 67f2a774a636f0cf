/** A machine that boots: a folder for its disk, and who serves it a runtime and an agent. */
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { UserData } from "../../../packages/aws/src/ec2/user-data/user-data.ts";
import { Files, place, Sandbox, sha256, usual } from "./sandbox.ts";

/** An archive of Node in this top folder; beside it, what is not taken. */
export function archive(sandbox: Sandbox, top: string): Buffer {
  sandbox.write(`${top}/bin/node`, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  sandbox.write(`${top}/package.json`, "{}");
  return execFileSync("tar", ["-czf", "-", "--mode=755", "-C", sandbox.root, top]);
}

export const asking = (sum: string): string[] => [`/v1/agent/files/${sum}`, `/bucket/${sum}`];

/** A machine, and who serves it a runtime and an agent; the agent says how it was called. */
export class Machine {
  readonly sandbox = new Sandbox();
  readonly files: Files;
  readonly node = archive(this.sandbox, "node-v24.21.0-linux-x64");
  readonly agent = Buffer.from("console.log(JSON.stringify(process.argv.slice(2)))\n");
  readonly sums = { node: sha256(this.node), agent: sha256(this.agent) };
  readonly runtime = `opt/muster/${this.sums.node}/bin/node`;
  readonly bundle = `opt/muster/${this.sums.agent}/agent.mjs`;

  private constructor(files: Files) {
    this.files = files;
    for (const bytes of [this.node, this.agent]) files.add(bytes);
    this.sandbox.standIn("uname", "echo x86_64");
    this.sandbox.metadata = files.metadata.url;
  }

  static async open(): Promise<Machine> {
    return new Machine(await Files.open());
  }

  script(options: Partial<UserData> = {}): string {
    const nodeSha256 = { x64: this.sums.node, arm64: "c".repeat(64) };
    const files = { endpoint: this.files.url, agentSha256: this.sums.agent, nodeSha256 };
    return place(this.sandbox, usual({ ...files, ...options }));
  }

  /** What cloud-init does, once. */
  async begin(options: Partial<UserData> = {}): Promise<void> {
    expect(await this.sandbox.run(this.script(options))).toMatchObject({ code: 0 });
  }

  /** What systemd does, at every boot. */
  async host(): Promise<void> {
    expect(await this.sandbox.run(join(this.sandbox.root, "opt/muster/boot"), "host")).toMatchObject({ code: 0 });
  }

  /** The first boot, to its end. */
  async boot(options: Partial<UserData> = {}): Promise<void> {
    await this.begin(options);
    await this.host();
  }

  /** All files that the script has written, with their modes. */
  written(): Map<string, string> {
    const { sandbox } = this;
    const all = readdirSync(sandbox.root, { recursive: true, encoding: "utf8" }).sort();
    const mode = (path: string) => lstatSync(join(sandbox.root, path)).mode.toString(8);
    const files = all.filter(path => /^(opt|etc|usr)\//.test(path) && mode(path).startsWith("100"));
    return new Map(files.map(path => [path, `${mode(path)} ${sandbox.read(path)}`]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sandbox[Symbol.dispose]();
    await this.files[Symbol.asyncDispose]();
  }
}
