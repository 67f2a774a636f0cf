/** A wall clock that somebody sets meanwhile; the agent's own code, with real processes, and a store that nobody answers for. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Clock } from "../../packages/agent/src/control/clock.ts";
import { Journal } from "../../packages/agent/src/journal.ts";
import { Store } from "../../packages/agent/src/keep/store.ts";
import { end } from "../../packages/agent/src/script/end.ts";
import { MARKER } from "../../packages/agent/src/script/processes.ts";

const HOUR = 3_600_000;

/** From here on only what asks for the time of day is told another one. */
function setBy(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  onTestFinished(() => void vi.useRealTimers());
}

test("a clock that is set back in the grace does not let a process live for longer", async () => {
  const folder = join(tmpdir(), `ma-clock-${process.pid}`);
  const env = { ...process.env, [MARKER]: folder };
  const child = spawn("bash", ["-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], { env, detached: true });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const gone = once(child, "exit");
  const ended = end(folder, 0.2);
  setBy(-HOUR);
  await ended;
  expect((await gone)[1]).toBe("SIGKILL");
});

test("a clock that is set forward, or a machine that slept, is no store that was out of reach", async () => {
  const halt = new AbortController();
  onTestFinished(() => halt.abort());
  const store = new Store({
    policy: { url: "http://127.0.0.1:1/", fields: {}, prefix: "", maxBytes: 1, expiresAt: Date.now() + 24 * HOUR },
    clock: new Clock(),
    journal: new Journal("/dev/null"),
    refresh: () => undefined,
    halt: halt.signal,
  });
  store.begin();
  setBy(HOUR);
  const tried = { count: 0 };
  const put = store.put({
    key: "k",
    size: 0,
    read: async function* () {
      if (++tried.count === 2) halt.abort(new Error("tried twice"));
      yield* [];
    },
  });
  await expect(put).rejects.toThrow("tried twice");
});
