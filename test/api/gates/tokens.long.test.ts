/**
 * Ran against: `GET /v1/whoami` and a host's poll with a hundred thousand tokens that nobody was given, over SQLite in memory,
 * in process: unknown ids, ids that are there with other secrets, tokens that were revoked, that have expired, damaged ones,
 * and whatever else may stand in the header. Each is refused in the same words, after one reading of the table at most.
 */
import { randomBytes } from "node:crypto";
import type { Table } from "@muster/core/ports/table.ts";
import { grant } from "@muster/core/token/create.ts";
import { revoke } from "@muster/core/token/revoke.ts";
import { expect, test } from "vitest";
import { furnish } from "./furnish.ts";
import { openStage } from "./stage.ts";

const TOKENS = 100_000;

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ulid = (): string => Array.from(randomBytes(26), byte => ALPHABET[byte % 32]).join("");
const secret = (): string => randomBytes(32).toString("hex");

async function open() {
  const reads = { count: 0 };
  const counting = (table: Table): Table => ({
    ...table,
    get: key => {
      reads.count++;
      return table.get(key);
    },
    query: (query: never) => {
      reads.count++;
      return table.query(query);
    },
  });
  const stage = openStage(world => ({ ...world, table: counting(world.table) }));
  const { passes, hosts } = await furnish(stage, "acme", "ac");
  const admin = { workspace: "acme", id: "usr-admin", role: "admin" } as const;
  const revoked = await grant(stage.world, { workspace: "acme", actor: "gone", role: "admin" });
  await revoke(stage.world, admin, revoked.id);
  const expiresAt = stage.world.clock.now() - 1;
  const expired = await grant(stage.world, { workspace: "acme", actor: "late", role: "admin", expiresAt });
  return {
    stage,
    reads,
    user: passes.users.admin,
    host: hosts[0]?.token ?? "",
    revoked: revoked.token,
    expired: expired.token,
  };
}
type Opened = Awaited<ReturnType<typeof open>>;

const idOf = (token: string): string => /tok_[0-9A-Z]{26}/.exec(token)?.[0] ?? "";
const damaged = (text: string): string => {
  const at = 7 + Math.floor(Math.random() * (text.length - 7));
  const other = text[at] === "0" ? "1" : "0";
  return text.slice(0, at) + other + text.slice(at + 1);
};

/** Kinds of headers that must not let anybody in, by turns. */
const KINDS: readonly ((opened: Opened) => string)[] = [
  () => `Bearer mst_tok_${ulid()}_${secret()}`,
  ({ user }) => `Bearer mst_${idOf(user)}_${secret()}`,
  ({ expired }) => `Bearer mst_${idOf(expired)}_${secret()}`,
  ({ revoked }) => `Bearer ${revoked}`,
  ({ user }) => damaged(user),
  ({ host }) => damaged(host),
  ({ host }) => host.replace(/\.[0-9a-f]{64}$/, `.${secret()}`),
  () => `Bearer msh_acme.hst_${ulid()}_0.${secret()}`,
  () => `Bearer ${randomBytes(60).toString("base64")}`,
  () => randomBytes(40).toString("latin1"),
];

const POLL = { pulse: { cpu: 0, memory: 0, gpus: [], sessions: 0 }, attempts: [] };

test("a hundred thousand tokens open nothing, and teach nothing", { timeout: 600_000 }, async () => {
  const opened = await open();
  const { stage, reads } = opened;
  const answers = { user: new Set<string>(), host: new Set<string>() };
  const [changes, logged] = [stage.world.changes.length, stage.logged.length];
  let most = 0;
  for (let at = 0; at < TOKENS; at++) {
    const token = KINDS[at % KINDS.length]?.(opened);
    const isHost = Math.floor(at / KINDS.length) % 2 === 1;
    reads.count = 0;
    const answer = isHost
      ? await stage.send("agent.poll", { token, body: POLL })
      : await stage.send("tokens.whoami", { token });
    answers[isHost ? "host" : "user"].add(JSON.stringify(answer));
    most = Math.max(most, reads.count);
  }
  expect([answers.user.size, answers.host.size]).toEqual([1, 1]);
  expect([...answers.user, ...answers.host].every(answer => answer.includes('"statusCode":401'))).toBe(true);
  expect(most).toBe(1);
  // Whoever guesses fills neither the table nor the log.
  expect([stage.world.changes.length, stage.logged.length]).toEqual([changes, logged]);
});

test("one that is revoked or expired is as unknown as any", async () => {
  const { stage, expired, revoked, user } = await open();
  const ask = async (token: string) => (await stage.send("tokens.whoami", { token: `Bearer ${token}` })).body;
  const unknown = await ask(`mst_tok_${ulid()}_${secret()}`);
  for (const token of [revoked, expired, expired.replace(/.{64}$/, secret())]) expect(await ask(token)).toBe(unknown);
  expect((await stage.send("tokens.whoami", { token: user })).statusCode).toBe(200);
});

test("neither the table nor what was logged holds a token's secret", async () => {
  const { stage, user, host, expired } = await open();
  const written = JSON.stringify([stage.world.changes, stage.logged]);
  for (const token of [user, host, expired]) expect(written.includes(token.slice(-64))).toBe(false);
});
