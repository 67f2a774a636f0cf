/** The workspace's secrets through the handlers of the API, on SQLite in memory; the secrets' port is a fake that fails when it is told to. */
import { doorOf } from "@muster/api/door.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import type { Role } from "@muster/core/actor/actor.ts";
import { MusterError } from "@muster/core/error.ts";
import { unwrap } from "@muster/core/secret/secret.ts";
import { grant } from "@muster/core/token/create.ts";
import { describe, expect, test } from "vitest";
import { config } from "../../functions/served/config.ts";
import { eventOf } from "../api/support.ts";
import { testWorld } from "../support/world.ts";
import { valueIn } from "./secrets-support.ts";

const HUNTER = { value: "hunter2" };

describe("over the API", () => {
  async function door() {
    const lines: unknown[] = [];
    const world = testWorld();
    const log = {
      info: (...line: unknown[]) => void lines.push(line),
      error: (...line: unknown[]) => void lines.push(line),
    };
    const logged = { ...world, log };
    const dispatch = dispatcher(doorOf(logged), routes, config(logged));
    const tokens = new Map<Role, string>();
    for (const role of ["admin", "member", "ci", "viewer"] as const)
      tokens.set(role, (await grant(logged, { workspace: "acme", actor: role, role })).token);
    const call = (role: Role, method: string, name?: string, body?: unknown, key?: string) =>
      dispatch(
        eventOf(`${method} /v1/secrets${name === undefined ? "" : "/{name}"}`, {
          ...(name !== undefined && { pathParameters: { name } }),
          headers: {
            "content-type": "application/json",
            authorization: `Bearer ${tokens.get(role)}`,
            "idempotency-key": key,
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      );
    return { world, lines, call };
  }

  test("members and admins set and remove; everybody of the workspace sees names; a key sets once", async () => {
    const { world, call } = await door();
    const status = async (...of: Parameters<typeof call>) => (await call(...of)).statusCode;
    expect(await status("viewer", "PUT", "A", HUNTER)).toBe(403);
    expect(await status("ci", "PUT", "A", HUNTER)).toBe(403);
    expect(await status("member", "PUT", "A", HUNTER, "k")).toBe(200);
    expect((await call("member", "PUT", "A", HUNTER, "k")).headers).toMatchObject({ "idempotency-replayed": "true" });
    expect(await status("member", "PUT", "A", { value: "else" }, "k")).toBe(409);
    for (const role of ["viewer", "ci"] as const)
      expect(JSON.parse((await call(role, "GET")).body)).toMatchObject({ items: [{ name: "A", owner: "member" }] });
    expect(await status("ci", "DELETE", "A")).toBe(403);
    expect([await valueIn(world, "A"), world.secrets.held.size]).toEqual(["hunter2", 1]);
    expect(await status("admin", "DELETE", "A")).toBe(200);
    expect(await status("admin", "DELETE", "A")).toBe(404);
  });

  test.each([
    ["A-B", HUNTER, "params.name"],
    ["A", { value: "" }, "body.value"],
    ["A", { value: "a\0b" }, "body.value"],
    ["A", { value: "x".repeat(8192) }, "body.value"],
    ["A", { value: '"'.repeat(5000) }, "body.value"],
    ["A", { value: 7 }, "body.value"],
  ])("%s of %j is refused at %s, and nothing is kept", async (name, body, path) => {
    const { world, call } = await door();
    const answer = await call("member", "PUT", name, body);
    expect([answer.statusCode, JSON.parse(answer.body).details.issues[0].path]).toEqual([400, path]);
    expect(world.secrets.calls).toEqual([]);
  });

  test("one as large as fits is kept", async () => {
    const { world, call } = await door();
    const value = "x".repeat(8192 - '{"value":""}'.length);
    expect((await call("member", "PUT", "A", { value })).statusCode).toBe(200);
    expect(await valueIn(world, "A")).toBe(value);
  });

  test("a value is in no item, no answer and no line of the log, whatever fails", async () => {
    const { world, lines, call } = await door();
    const answers = [await call("member", "PUT", "A", HUNTER, "k"), await call("member", "PUT", "A", HUNTER, "k")];
    for (const error of [new MusterError("unavailable", "no answer"), new Error("broken")]) {
      world.secrets.failing.set("keep", error);
      answers.push(await call("member", "PUT", "A", HUNTER));
    }
    answers.push(await call("member", "PUT", "A", { value: "hunter2".repeat(2000) }));
    answers.push(await call("member", "PUT", "A", { values: "hunter2" }));
    answers.push(await call("member", "PUT", "A", "hunter2"));
    world.secrets.failing.set("forget", new Error("broken"));
    answers.push(await call("member", "PUT", "A", { value: "hunter2 again" }), await call("viewer", "GET"));
    answers.push(await call("member", "DELETE", "A"));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 503, 500, 400, 400, 400, 200, 200, 200]);
    expect(lines.length).toBeGreaterThan(1);
    expect([...world.secrets.held.values()].map(({ values }) => unwrap(values))).toContain("hunter2");
    const items = world.changes.flatMap(change => ("item" in change ? change.item : []));
    expect(items.map(({ type }) => type)).toEqual(expect.arrayContaining(["secret", "event", "claim"]));
    for (const told of [world.changes, lines, answers]) expect(JSON.stringify(told)).not.toContain("hunter2");
    const kinds = items.filter(({ type }) => type === "event").map(({ data }) => [data.kind, data.subject]);
    expect(kinds.filter(([kind]) => String(kind).startsWith("secret."))).toEqual([
      ["secret.set", "A"],
      ["secret.set", "A"],
      ["secret.removed", "A"],
    ]);
  });
});
