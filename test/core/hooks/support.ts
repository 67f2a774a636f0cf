/** What tests of hooks ask for: hooks, payloads that GitHub has recorded, and requests signed as their senders sign them. */
import { createHmac, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { create } from "@muster/core/hook/create.ts";
import * as Delivery from "@muster/core/hook/delivery.ts";
import * as Hook from "@muster/core/hook/hook.ts";
import { process as workOff } from "@muster/core/hook/process.ts";
import { receive } from "@muster/core/hook/receive.ts";
import type { OutboundRequest } from "@muster/core/ports/outbound.ts";
import type { Outside } from "@muster/core/ports/world.ts";
import { set as setSecret } from "@muster/core/secret/set.ts";
import { grant } from "@muster/core/token/create.ts";
import { taskFiles } from "@muster/task/repository-file.ts";
import { ADA, type TestWorld } from "../../support/world.ts";

type Input = Parameters<typeof Hook.Change.parse>[0];

export const change = (input: object = {}): Hook.Change =>
  Hook.Change.parse({
    forge: "github",
    rules: [{ events: ["push"], launch: { task: { run: "true" } } }],
    ...input,
  } as Input);

/** A hook of Ada's, who may launch. */
export async function makeHook(world: TestWorld, input: object = {}, name = "ci"): Promise<Hook.Created> {
  await grant(world, { workspace: ADA.workspace, actor: ADA.id, role: "member" });
  return create(world, ADA, { name, hook: change(input) });
}

interface Recorded {
  readonly name: string;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

/** What GitHub has sent to others, as @octokit/webhooks-examples keeps it. */
export const recorded: readonly Recorded[] = createRequire(import.meta.url)("@octokit/webhooks-examples");

/** The first of them for an event, of an action. */
export function example(event: string, action?: string): Record<string, never> {
  const found = recorded
    .find(({ name }) => name === event)
    ?.examples.find(one => action === undefined || one.action === action);
  if (found === undefined) throw new Error(`there is no example of ${event} ${action}`);
  return structuredClone(found) as Record<string, never>;
}

export interface Sent {
  readonly headers: Record<string, string | undefined>;
  readonly body: Uint8Array;
}

export const bytesOf = (payload: unknown): Uint8Array =>
  Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));

/** As GitHub sends it. */
export function fromGithub(secret: string, event: string, payload: unknown, delivery: string = randomUUID()): Sent {
  const body = bytesOf(payload);
  return {
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": delivery,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
    body,
  };
}

/** As GitLab sends it with a secret token. */
export const fromGitlab = (secret: string, payload: unknown, key: string = randomUUID()): Sent => ({
  headers: { "content-type": "application/json", "x-gitlab-token": secret, "idempotency-key": key },
  body: bytesOf(payload),
});

/** As Standard Webhooks has it. @param at epoch ms */
export function asStandard(secret: string, payload: unknown, at: number, id = `msg_${randomUUID()}`): Sent {
  const body = bytesOf(payload);
  const time = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key)
    .update(Buffer.concat([Buffer.from(`${id}.${time}.`), body]))
    .digest("base64");
  return {
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": time,
      "webhook-signature": `v1,${signature}`,
    },
    body,
  };
}

/** A forge that a test plays: what it is asked, and what it says. */
export interface Forge {
  readonly asked: OutboundRequest[];
  /** By method and path, the longest that fits. */
  readonly says: Map<string, unknown | (() => unknown)>;
}

/** The world as the function `outbox` sees it, beside a forge. */
export function outside(world: TestWorld): Outside & { readonly forge: Forge } {
  const forge: Forge = { asked: [], says: new Map() };
  const outbound: Outside["outbound"] = {
    check: () => undefined,
    send: async request => {
      forge.asked.push(request);
      const { pathname } = new URL(request.url);
      const key = [...forge.says.keys()]
        .filter(one => `${request.method} ${pathname}`.startsWith(one))
        .sort((a, b) => b.length - a.length)[0];
      if (key === undefined) return { status: 404, headers: {}, body: '{"message":"Not Found"}' };
      const said = forge.says.get(key);
      const value: unknown = typeof said === "function" ? (said as () => unknown)() : said;
      return { status: 200, headers: {}, body: typeof value === "string" ? value : JSON.stringify(value) };
    },
  };
  return { ...world, outbound, taskFiles, forge };
}

/** A stored token with which the forge is asked. */
export const storeToken = (world: TestWorld, name = "FORGE_TOKEN") =>
  setSecret(world, ADA, name, { value: "ghp_0123456789abcdef" });

/** A file as GitHub's API shows it. */
export const asContents = (text: string) => ({
  type: "file",
  encoding: "base64",
  content: Buffer.from(text).toString("base64"),
});

/** Receives it, works it off, and says what became of it. */
export async function deliver(world: Outside, hook: { readonly id: string }, sent: Sent): Promise<Delivery.Info> {
  const { delivery } = await receive(world, hook.id, sent);
  await workOff(world, { workspace: ADA.workspace, id: delivery });
  return look(world, delivery);
}

export async function look(world: Pick<Outside, "table">, id: string): Promise<Delivery.Info> {
  const found = await Delivery.find(world.table, ADA.workspace, id);
  if (found === undefined) throw new Error(`there is no delivery ${id}`);
  return Delivery.info(found);
}

/** How many jobs were made. */
export const jobsIn = (world: TestWorld): number =>
  world.changes.filter(one => "item" in one && one.item.type === "job" && one.item.version === 1).length;
