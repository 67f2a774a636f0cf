/** The agent's socket, held in this process, and those who ask there; real sockets in a real folder. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { at, prepare } from "../../packages/agent/src/home.ts";
import { ask, hold } from "../../packages/agent/src/sock.ts";

test("whoever dies before it has read its answer takes nobody along", async () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-sock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const home = at(folder);
  prepare(home);
  let asked = 0;
  let leave = () => {};
  const commands = {
    kick: () => undefined,
    stop: () => undefined,
    status: () => {
      asked++;
      // When the answer is on its way, and unread.
      setImmediate(leave);
      return { asked };
    },
  };
  const held = await hold(home, commands);
  onTestFinished(() => held?.close());
  for (let n = 1; n <= 20; n++) {
    const client = connect(home.sock);
    leave = () => client.destroy();
    client.pause().write("status\n");
    await once(client, "close");
    expect(asked).toBe(n);
  }
  leave = () => {};
  expect(await ask(home, "status")).toBe(JSON.stringify({ asked: 21 }));
});
