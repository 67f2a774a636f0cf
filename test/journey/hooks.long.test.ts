/**
 * From a signed request to a job that has succeeded: the real control plane over HTTP, with real agents and processes, and
 * requests signed as their senders sign them.
 */
import { createHmac, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { example } from "../core/hooks/support.ts";
import { clearHome, ended, type InProcess, logOf, newHome, openPlane, spawnPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

type Api = InProcess["api"];

const PRINTS = 'printf "%s|" "$MUSTER_GIT_SHA" "$MUSTER_GIT_REF" "$MUSTER_SENDER" "$MUSTER_EVENT"';
const hookOf = (run: string) => ({
  forge: "github" as const,
  rules: [{ events: ["push"], launch: { task: { run }, down: true } }],
});

let made = 0;
const pushed = (sender = "ada") => ({
  ...example("push"),
  ...{ ref: "refs/heads/main", after: (++made).toString(16).padStart(40, "a"), deleted: false },
  sender: { login: sender, id: 1 },
});

interface Made {
  readonly path: string;
  readonly secret: { readonly text: string };
}

async function send(url: string, { path, secret }: Made, body: Buffer, more: Record<string, string> = {}) {
  const answer = await fetch(`${url}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret.text).update(body).digest("hex")}`,
      ...more,
    },
    body: new Uint8Array(body),
  });
  const text = await answer.text();
  return { status: answer.status, text, json: JSON.parse(text) as { delivery: string; duplicate: boolean } };
}

const bytes = (payload: object): Buffer => Buffer.from(JSON.stringify(payload));

/** The job that came of it. */
const jobOf = (api: Api, hook: string, delivery: string): Promise<string> =>
  until("a launch", async () => {
    const { state, message, results } = await api.hooks.delivery({ params: { hook, delivery } });
    expect([state, message]).not.toEqual(["failed", expect.anything()]);
    return state === "launched" ? results[0]?.jobId : undefined;
  });

describe("over HTTP", () => {
  let plane: InProcess;
  let hook: Made;
  beforeAll(async () => {
    plane = await openPlane();
    hook = await plane.api.hooks.create({ body: { name: "ci", hook: hookOf(PRINTS) } });
  });
  afterAll(() => plane.close());

  test("a push is answered at once, and its job has succeeded with what the event says", async () => {
    const evil = "$(touch x); `id` \"'";
    const payload = pushed(evil);
    const begun = await send(plane.url, hook, bytes(payload));
    expect(begun.status).toBe(202);
    const job = await jobOf(plane.api, "ci", begun.json.delivery);
    expect((await ended(plane, { id: job })).state).toBe("succeeded");
    expect(await logOf(plane, { id: job })).toContain(`${payload.after}|refs/heads/main|${evil}|push|`);
  });

  test("16 at once, each under another name, are one job", async () => {
    const body = bytes(pushed());
    const answers = await Promise.all(Array.from({ length: 16 }, () => send(plane.url, hook, body)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 202));
    const ids = new Set(answers.map(({ json }) => json.delivery));
    expect(ids.size).toBe(1);
    const [delivery = ""] = ids;
    const job = await jobOf(plane.api, "ci", delivery);
    const { items } = await plane.api.hooks.deliveries({ params: { hook: "ci" } });
    const mine = items.filter(({ results }) => results.some(({ jobId }) => jobId === job));
    expect(mine.map(({ id }) => id)).toEqual([delivery]);
  });

  test("a wrong signature, a wrong hook and bytes that are no text are answered alike", async () => {
    const body = bytes(pushed());
    const wrong = await send(plane.url, { ...hook, secret: { text: "wrong" } }, body);
    const nowhere = await send(plane.url, { ...hook, path: "/v1/hooks/hk_00000000000000000000000000" }, body);
    const noText = await send(plane.url, hook, Buffer.from([0xff, 0xfe]), { "x-hub-signature-256": "sha256=00" });
    expect([wrong.status, nowhere.status, noText.status]).toEqual([401, 401, 401]);
    expect(new Set([wrong.text, nowhere.text, noText.text]).size).toBe(1);
    expect((await send(plane.url, hook, Buffer.from([0xff, 0xfe]))).status).toBe(202);
  });

  test("a body of 5 MB is taken, and one byte more is not", async () => {
    const body = Buffer.alloc(5_000_000, " ");
    expect((await send(plane.url, hook, body)).status).toBe(202);
    expect((await send(plane.url, hook, Buffer.concat([body, Buffer.from(" ")]))).status).toBe(413);
  });
});

test("a control plane that is killed once it has answered launches what it was sent, once", async () => {
  const home = newHome();
  try {
    const first = await spawnPlane(home);
    const hook = await first.api.hooks.create({ body: { name: "ci", hook: hookOf("echo done") } });
    const receipts = [];
    for (let push = 0; push < 3; push++) receipts.push(await send(first.url, hook, bytes(pushed())));
    await first.kill();
    const second = await spawnPlane(home);
    const jobs: string[] = [];
    for (const { json } of receipts) jobs.push(await jobOf(second.api, "ci", json.delivery));
    const { items } = await second.api.jobs.list({});
    expect(items.map(({ id }) => id).sort()).toEqual([...jobs].sort());
    await second.kill();
  } finally {
    clearHome(home);
  }
});
