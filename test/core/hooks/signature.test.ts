/**
 * Who may send: the verb that receives, on SQLite in memory, with signatures that the libraries of GitHub and of Standard
 * Webhooks make, which this project did not write.
 */
import { createHmac, randomBytes } from "node:crypto";
import { rotate } from "@muster/core/hook/rotate.ts";
import { sign as octokitSign } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, test } from "vitest";
import { ADA } from "../../support/world.ts";
import { BODY, payload, type Stage, stageOf } from "./signature-support.ts";
import { asStandard, fromGithub, fromGitlab, makeHook, type Sent } from "./support.ts";

let world: Stage["world"];
let answer: Stage["answer"];
let unknown: Stage["unknown"];
let github: Stage["github"];
let gitlab: Stage["gitlab"];
let standard: Stage["standard"];
let plain: Stage["plain"];
beforeAll(async () => {
  ({ world, answer, unknown, github, gitlab, standard, plain } = await stageOf());
});

const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};

/** As a gateway hands headers on: bytes as Latin-1. */
const flipText = (text: string, bit: number): string =>
  Buffer.from(flip(Buffer.from(text, "latin1"), bit)).toString("latin1");

interface Sender {
  readonly name: string;
  readonly hook: () => Stage["github"];
  readonly secret: () => string;
  readonly signature: string;
  readonly sent: (secret: string) => Sent;
  /** Whether the body is signed; a token goes beside it. */
  readonly signsBody: boolean;
}

const senders: readonly Sender[] = [
  {
    ...{ name: "GitHub", signature: "x-hub-signature-256", signsBody: true, hook: () => github },
    ...{ secret: () => github.secret.text, sent: secret => fromGithub(secret, "push", payload) },
  },
  {
    ...{ name: "GitLab's token", signature: "x-gitlab-token", signsBody: false, hook: () => gitlab },
    ...{ secret: () => gitlab.secret.text, sent: secret => fromGitlab(secret, payload) },
  },
  {
    ...{ name: "GitLab's signature", signature: "webhook-signature", signsBody: true, hook: () => gitlab },
    ...{ secret: () => gitlab.secret.standard, sent: secret => asStandard(secret, payload, world.clock.now()) },
  },
  {
    ...{ name: "Standard Webhooks", signature: "webhook-signature", signsBody: true, hook: () => standard },
    ...{ secret: () => standard.secret.standard, sent: secret => asStandard(secret, payload, world.clock.now()) },
  },
  {
    ...{ name: "a plain HMAC", signature: "x-my-signature", signsBody: true, hook: () => plain },
    secret: () => plain.secret.text,
    sent: secret => ({
      headers: { "x-my-signature": createHmac("sha256", secret).update(BODY).digest("hex") },
      body: BODY,
    }),
  },
];

/** Spread over all of it, the first and the last among them. */
const some = (all: number, most: number): number[] =>
  all <= most
    ? Array.from({ length: all }, (_, at) => at)
    : Array.from({ length: most }, (_, at) => Math.floor((at * (all - 1)) / (most - 1)));

describe("one bit that is another", () => {
  let flips = 0;

  test.each(senders)("of what $name sends is refused as an unknown hook is", async sender => {
    const good = sender.sent(sender.secret());
    const refused = await unknown();
    expect(refused).toMatch(/^401 /);
    const answers = new Set<string>();
    for (const wrong of [...ofBody(sender, good), ...ofSignature(sender, good), ...ofSecret(sender)]) {
      flips++;
      answers.add(await answer(sender.hook().id, wrong));
    }
    expect([...answers]).toEqual([refused]);
    expect(await answer(sender.hook().id, good)).toBe("202");
  });

  const ofBody = ({ signsBody }: Sender, good: Sent): Sent[] =>
    signsBody ? some(good.body.length * 8, 400).map(bit => ({ ...good, body: flip(good.body, bit) })) : [];

  function ofSignature({ signature }: Sender, good: Sent): Sent[] {
    const text = good.headers[signature] ?? "";
    return some(text.length * 8, 600).map(bit => ({
      ...good,
      headers: { ...good.headers, [signature]: flipText(text, bit) },
    }));
  }

  /** As its sender would have it wrong. Of base64 the last bits may say nothing: that is flipped as bytes. */
  function ofSecret({ secret, sent }: Sender): Sent[] {
    const isStandard = secret().startsWith("whsec_");
    const key = Buffer.from(secret().replace("whsec_", ""), isStandard ? "base64" : "latin1");
    return some(key.length * 8, 256).map(bit => {
      const wrong = Buffer.from(flip(key, bit));
      return sent(isStandard ? `whsec_${wrong.toString("base64")}` : wrong.toString("latin1"));
    });
  }

  test("and these were more than 2,000", () => {
    expect(flips).toBeGreaterThanOrEqual(2000);
  });
});

describe("the secret of before", () => {
  test("is good for another day after a rotation, and then no more", async () => {
    const hook = await makeHook(world, {}, "rotated");
    const next = await rotate(world, ADA, hook.id);
    expect(next.secret.text).not.toBe(hook.secret.text);
    const send = (secret: string) =>
      answer(hook.id, fromGithub(secret, "push", { at: randomBytes(8).toString("hex") }));
    expect([await send(hook.secret.text), await send(next.secret.text)]).toEqual(["202", "202"]);
    world.clock.pass(24 * 3_600_000);
    expect([await send(hook.secret.text), await send(next.secret.text)]).toEqual([await unknown(), "202"]);
  });

  test("is good no more at once, where that was asked for, and never the one before that", async () => {
    const hook = await makeHook(world, {}, "leaked");
    const next = await rotate(world, ADA, hook.id, { now: true });
    const send = (secret: string) =>
      answer(hook.id, fromGithub(secret, "push", { at: randomBytes(8).toString("hex") }));
    expect([await send(hook.secret.text), await send(next.secret.text)]).toEqual([await unknown(), "202"]);
    const third = await rotate(world, ADA, hook.id);
    expect([await send(hook.secret.text), await send(next.secret.text), await send(third.secret.text)]).toEqual([
      await unknown(),
      "202",
      "202",
    ]);
  });
});

describe("against libraries that others wrote", () => {
  test("what @octokit/webhooks-methods signs is taken", async () => {
    for (let round = 0; round < 100; round++) {
      const text = JSON.stringify({ round, text: randomBytes(round).toString("latin1") });
      const signature = await octokitSign(github.secret.text, text);
      const headers = { "x-github-event": "push", "x-hub-signature-256": signature };
      expect(await answer(github.id, { headers, body: Buffer.from(text) })).toBe("202");
    }
  });

  test("what standardwebhooks signs is taken, also beside signatures of other keys", async () => {
    const webhook = new Webhook(standard.secret.standard);
    for (let round = 0; round < 100; round++) {
      const text = JSON.stringify({ round, text: randomBytes(round).toString("latin1") });
      const at = new Date(world.clock.now());
      const signature = webhook.sign(`msg_${round}`, at, text);
      const headers = {
        "webhook-id": `msg_${round}`,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": round % 2 === 0 ? signature : `v1,${randomBytes(32).toString("base64")} ${signature}`,
      };
      expect(await answer(standard.id, { headers, body: Buffer.from(text) })).toBe("202");
    }
  });
});

test("no secret stands in the table", async () => {
  const hook = await makeHook(world, {}, "silent");
  const next = await rotate(world, ADA, hook.id);
  const written = JSON.stringify(world.changes);
  for (const { secret } of [github, gitlab, standard, plain, hook, next]) {
    expect(written).not.toContain(secret.text);
    expect(written).not.toContain(secret.standard.slice("whsec_".length));
  }
});
