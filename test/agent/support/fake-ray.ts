/**
 * A small program in the place of Ray: a head that counts the nodes which hold a connection to it, nodes that outlive their
 * head, and a `status` in Ray's own words (as Ray 2.60 printed them). It computes nothing.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PROGRAM = `#!${process.execPath}
const net = require("node:net");
const [, , command, ...rest] = process.argv;
const option = name => rest.find(word => word.startsWith("--" + name + "="))?.split("=")[1];
const [host, port] = (option("address") ?? option("node-ip-address") + ":" + option("port")).split(":");
const nodes = new Set();
function head() {
  const folder = option("temp-dir");
  require("node:fs").writeFileSync(folder + "/session", "");
  net.createServer(socket => {
    socket.on("error", () => undefined).on("close", () => nodes.delete(socket));
    socket.on("data", said => {
      if (String(said) === "join") nodes.add(socket);
      else socket.end(String(nodes.size + 1));
    });
  }).listen({ host, port: Number(port) });
  console.log("head of " + folder);
}
function node() {
  const socket = net.connect(Number(port), host, () => socket.write("join"));
  socket.on("connect", () => console.log("joined"));
  // As Ray's own nodes do, it stays for a while.
  socket.on("error", () => process.exit(1)).on("close", () => setTimeout(() => undefined, 60_000));
}
function status() {
  const socket = net.connect(Number(port), host, () => socket.write("status"));
  socket.on("error", () => process.exit(1)).on("data", said => {
    const active = Array.from({ length: Number(said) }, (_, index) => " 1 node_" + index + "\\n").join("");
    const lines = "Node status\\n-----\\nActive:\\n" + active + "Pending:\\n (no pending nodes)\\nRecent failures:\\n (no failures)\\n";
    process.stdout.write("======== Autoscaler status: now ========\\n" + lines + "\\nResources\\n-----\\nTotal Usage:\\n 7.0/8.0 CPU\\n");
  });
}
if (command === "status") status();
else if (rest.includes("--head")) head();
else node();
`;

/** Puts it into a folder of programs. @returns a PATH on which it comes first */
export function fakeRay(folder: string): string {
  const bin = join(folder, "ray-bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "ray"), PROGRAM);
  chmodSync(join(bin, "ray"), 0o755);
  return `${bin}:${process.env.PATH}`;
}
