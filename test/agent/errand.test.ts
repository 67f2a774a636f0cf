/** Commands that are no job's; the agent's own code, with real processes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { look } from "../../packages/agent/src/host/surroundings.ts";
import { end } from "../../packages/agent/src/script/end.ts";
import { type Errand, run } from "../../packages/agent/src/script/errand.ts";
import { list, MARKER, markOf } from "../../packages/agent/src/script/processes.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "ma-errand-"));
afterAll(() => rmSync(folder, { recursive: true }));
const never = new AbortController().signal;

function errand(text: string, more: Partial<Errand> = {}): Errand {
  const home = mkdtempSync(join(folder, "home-"));
  return { text, mark: join(home, "mark"), machine: look(), home, limit: 30, grace: 5, isHeard: true, ...more };
}

/** Processes that are left of it. */
const left = ({ mark }: Errand): number => list(markOf(mark)).filter(one => one.marked).length;

test.concurrent("it runs in the home of the jobs, with a job's basic environment, and its end is known", async () => {
  const one = errand("pwd; echo $HOME $MORE >&2; echo loud >/dev/stderr; exit 3", { env: { MORE: "told" } });
  expect(await run(one, never)).toEqual({ code: 3, isCut: false, said: `${one.home}\n${one.home} told\nloud\n` });
});

test.concurrent("what a job put into ~/.bashrc holds here, too", async () => {
  const one = errand("greet");
  await run({ ...one, text: "echo 'greet() { echo hello; }' >~/.bashrc" }, never);
  expect(await run(one, never)).toMatchObject({ code: 0, said: "hello\n" });
});

test.concurrent("what takes too long is asked to end, and what does not listen is ended", async () => {
  const polite = errand("trap 'echo saved; exit 5' TERM; echo up; while :; do sleep 0.05; done", { limit: 1 });
  expect(await run(polite, never)).toEqual({
    code: 5,
    isCut: true,
    said: expect.stringMatching(/^up\n(.*\n)?saved\n$/),
  });
  const deaf = errand("trap '' TERM; while :; do sleep 0.05; done", { limit: 1, grace: 0.3 });
  expect(await run(deaf, never)).toEqual({ code: 137, isCut: true, said: "" });
  expect(left(deaf)).toBe(0);
});

test.concurrent("what it leaves behind is ended with it, in whatever session", async () => {
  const one = errand("setsid sleep 1000 & sleep 1000 & echo $! >~/pid; exit 0");
  expect(await run(one, never)).toMatchObject({ code: 0, isCut: false });
  expect(left(one)).toBe(0);
  expect(Number(readFileSync(join(one.home, "pid"), "utf8"))).toBeGreaterThan(1);
});

test.concurrent("one that cannot be started has no code, and says why", async () => {
  const lost = errand("true", { home: join(folder, "none") });
  expect(await run(lost, never)).toMatchObject({ isCut: false, said: expect.stringContaining("ENOENT") });
  expect((await run(lost, never)).code).toBeUndefined();
});

test.concurrent("it ends when its host is told to, and one that is not listened to may print what it likes", async () => {
  const quit = new AbortController();
  const one = errand("head -c 300000 /dev/zero; touch ~/printed; exec sleep 1000", { isHeard: false });
  const ended = run(one, quit.signal);
  await until("it to have printed", () => existsSync(join(one.home, "printed")));
  quit.abort();
  expect(await ended).toEqual({ code: 143, isCut: true, said: "" });
});

test.concurrent("only the end of what it prints is kept", async () => {
  const { said } = await run(errand("seq 100000; echo end"), never);
  expect(said.length).toBe(4_000);
  expect(said.endsWith("\n100000\nend\n")).toBe(true);
});

test("what the kernel does not let go is left at last: nothing waits for it for ever, and nothing later is ended with it", async () => {
  const { mark } = errand("true");
  const undead = spawn("sleep", ["1000"], { detached: true, env: { [MARKER]: mark } });
  const kill = vi.spyOn(process, "kill").mockReturnValue(true);
  try {
    await end(mark, 0.05, undefined, 0.2);
    expect(kill).toHaveBeenCalledWith(undead.pid, "SIGKILL");
    expect(undead.exitCode).toBeNull();
  } finally {
    kill.mockRestore();
    undead.kill("SIGKILL");
    await once(undead, "exit");
  }
}, 10_000);
