/**
 * Stands in for Docker's client where there is no engine: "containers" are processes of this machine, with no walls round
 * them. It notes what it was told, one JSON line a call, and does as much of it as attempts need. What passes with it is
 * not thereby proved with Docker: see test/containers for that.
 */
import { chmodSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Call {
  readonly argv: readonly string[];
  readonly input: string;
  /** Names of variables that it was given. */
  readonly env: readonly string[];
}

export class FakeDocker {
  readonly folder = mkdtempSync(join(tmpdir(), "ma-docker-"));

  constructor() {
    const program = join(this.folder, "docker");
    writeFileSync(program, SCRIPT.replace("FOLDER", this.folder));
    chmodSync(program, 0o755);
  }

  /** With which an agent finds it, and nothing else that could be an engine. */
  get env(): Record<string, string> {
    return { PATH: `${this.folder}:${process.env.PATH}`, DOCKER_HOST: "unix:///nowhere.sock" };
  }

  /** As on machines that Muster boots: `docker` is a link to what installs it, and goes on when that is finished. */
  asStandIn(): { readonly env: Record<string, string>; finish(): void; installed(): number } {
    const folder = mkdtempSync(join(tmpdir(), "ma-tool-"));
    const [gate, count] = [join(folder, "gate"), join(folder, "count")];
    const wait = `[ -e ${gate} ] || { until [ -e ${gate} ]; do sleep 0.05; done; echo x >>${count}; }`;
    writeFileSync(join(folder, "tool"), `#!/bin/sh\n${wait}\nexec ${join(this.folder, "docker")} "$@"\n`);
    chmodSync(join(folder, "tool"), 0o755);
    symlinkSync(join(folder, "tool"), join(folder, "docker"));
    return {
      env: { ...this.env, PATH: `${folder}:${process.env.PATH}` },
      finish: () => writeFileSync(gate, ""),
      installed: () => readFileSync(count, { encoding: "utf8", flag: "a+" }).split("\n").length - 1,
    };
  }

  /** What it says, and with which code, to commands that begin so. */
  answer(command: string, code: number, said: string): void {
    writeFileSync(join(this.folder, `answer-${command}`), `${code} ${said}`);
  }

  /** From here on a command like this never ends. */
  hang(command: string): void {
    writeFileSync(join(this.folder, `answer-${command}`), "hang");
  }

  get calls(): Call[] {
    const text = readFileSync(join(this.folder, "calls"), { encoding: "utf8", flag: "a+" });
    return text.split("\n").flatMap(line => (line === "" ? [] : (JSON.parse(line) as Call)));
  }

  /** The words of the calls of one command. */
  told(command: string): (readonly string[])[] {
    return this.calls.filter(({ argv }) => argv[0] === command).map(({ argv }) => argv);
  }
}

const SCRIPT = `#!/usr/bin/env node
const fs = require("node:fs");
const { spawn, spawnSync } = require("node:child_process");
const folder = "FOLDER";
const argv = process.argv.slice(2);
const [command] = argv;
const input = argv.includes("--password-stdin") ? fs.readFileSync(0, "utf8") : "";
fs.appendFileSync(folder + "/calls", JSON.stringify({ argv, input, env: Object.keys(process.env) }) + "\\n");
const pause = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const planned = folder + "/answer-" + command;
if (fs.existsSync(planned)) {
  if (fs.readFileSync(planned, "utf8") === "hang") pause(2 ** 30);
  const [, code, said] = /^(\\d+) ([^]*)$/.exec(fs.readFileSync(planned, "utf8"));
  process.stderr.write(said + "\\n");
  process.exit(Number(code));
}
const members = name => fs.readdirSync("/proc").filter(pid => {
  if (!/^\\d+$/.test(pid) || Number(pid) === process.pid) return false;
  try { return fs.readFileSync("/proc/" + pid + "/environ", "latin1").split("\\0").includes("FAKE_CONTAINER=" + file(name)); } catch { return false; }
}).map(Number);
const signal = (name, kind, keep = () => false) => { for (const pid of members(name)) if (!keep(pid)) try { process.kill(pid, kind); } catch {} };
const isClient = pid => { try { return fs.readFileSync("/proc/" + pid + "/cmdline", "latin1").includes("muster_in"); } catch { return true; } };
const keeps = pid => { try { return isClient(pid) || /muster-keeper|2147483647/.test(fs.readFileSync("/proc/" + pid + "/cmdline", "latin1")); } catch { return true; } };
const file = name => folder + "/container-" + name;
const env = name => ({ ...process.env, PATH: process.env.PATH.replace(folder + ":", ""), FAKE_CONTAINER: file(name) });
const gone = name => { process.stderr.write("Error: No such container: " + name + "\\n"); process.exit(1); };
if (command === "info") console.log('99.0 ["name=fake"]');
else if (command === "image") process.exit(1);
else if (command === "ps") console.log("");
else if (command === "run") {
  const name = argv[argv.indexOf("--name") + 1];
  fs.writeFileSync(file(name), "");
  spawn("sh", ["-c", argv.at(-1)], { env: env(name), detached: true, stdio: "ignore" }).unref();
  console.log("0".repeat(64));
} else if (command === "exec") {
  const [flag, name, ...words] = argv.slice(1);
  if (!fs.existsSync(file(name))) gone(name);
  if (words.join(" ").includes("these are not the processes")) {
    const until = Date.now() + Number(words.at(-1)) * 1000;
    signal(name, "SIGTERM", keeps);
    while (members(name).some(pid => !keeps(pid))) { if (Date.now() >= until) signal(name, "SIGKILL", keeps); pause(20); }
  } else {
    const cwd = flag.startsWith("--workdir=") ? flag.slice(10) : undefined;
    const ended = spawnSync(words[0], words.slice(1), { env: env(name), cwd, stdio: ["ignore", "inherit", "inherit"] });
    process.exit(ended.status ?? 137);
  }
} else if (command === "kill" || command === "rm") {
  const name = argv.at(-1);
  if (!fs.existsSync(file(name))) gone(name);
  signal(name, "SIGKILL");
  if (command === "rm") fs.rmSync(file(name));
} else if (command === "inspect") {
  if (!fs.existsSync(file(argv.at(-1)))) gone(argv.at(-1));
  console.log("true false 0 ");
}
`;
