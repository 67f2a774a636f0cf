/** Ran against: serve() in process, with core's own tokens and idempotency over the real SQLite table in memory. */
import { isKeyed } from "@muster/api/route.ts";
import { entries, routes } from "@muster/api/routes.ts";
import { dispatcher, serve } from "@muster/api/serve.ts";
import { errors, MusterError } from "@muster/core/error.ts";
import { WriteConflict } from "@muster/core/ports/table.ts";
import { describe, expect, test } from "vitest";
import { bodyOf, cluster, creating, eventOf, openDoor } from "./support.ts";

const get = routes["clusters.get"];

async function failingWith(error: unknown) {
  const door = openDoor();
  const handler = serve(door, "clusters.get", get, () => Promise.reject(error));
  const authorization = await door.token("viewer");
  const answer = await handler(
    eventOf("GET /v1/clusters/{cluster}", { headers: { authorization }, pathParameters: { cluster: "one" } }),
  );
  return { answer, logged: door.logged };
}

describe("what leaves", () => {
  test("fields that the route does not show stay inside", async () => {
    const door = openDoor();
    const secret = { ...cluster, workspace: "wsp_test", launch: { token: "s3cret" } };
    const handler = serve(door, "clusters.get", get, async () => secret);
    const authorization = await door.token("viewer");
    const answer = await handler(
      eventOf("GET /v1/clusters/{cluster}", { headers: { authorization }, pathParameters: { cluster: "one" } }),
    );
    expect(bodyOf(answer)).toEqual(cluster);
    expect(answer.headers).toEqual({
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  test("an answer that breaks its own schema is a failure inside", async () => {
    const door = openDoor();
    const handler = serve(door, "health.get", routes["health.get"], async () => ({ ok: false }) as never);
    const answer = await handler(eventOf("GET /v1/health"));
    expect(bodyOf(answer)).toEqual({
      code: "internal",
      message: "something went wrong inside Muster",
      details: { requestId: "req-1" },
    });
    expect(door.logged).toHaveLength(1);
  });

  test("a listed failure is told with its status, message and details, and is nothing for the log", async () => {
    const { answer, logged } = await failingWith(new MusterError("not_found", "no such cluster", { hint: "look" }));
    expect(answer.statusCode).toBe(404);
    expect(bodyOf(answer)).toEqual({ code: "not_found", message: "no such cluster", details: { hint: "look" } });
    expect(answer.headers["retry-after"]).toBeUndefined();
    expect(logged).toEqual([]);
  });

  test("a failure that the route does not list is one of ours, and is logged as such", async () => {
    const { answer, logged } = await failingWith(new MusterError("name_taken", "of wsp_other"));
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("wsp_other");
    expect(logged).toMatchObject([
      { message: "unlisted code", fields: { route: "clusters.get", code: "name_taken", requestId: "req-1" } },
    ]);
  });

  test("a crash is logged once with its causes, and its answer tells nothing of it", async () => {
    const crash = new TypeError("s3cret path", { cause: new Error("disk is full") });
    const { answer, logged } = await failingWith(crash);
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toMatch(/s3cret|disk|\bat /);
    expect(logged).toHaveLength(1);
    expect(logged[0]?.message).toBe("request failed");
    expect(logged[0]?.fields.error).toMatch(/TypeError: s3cret path[\s\S]*caused by Error: disk is full/);
    for (const thrown of [undefined, null, "text", { code: "not_found" }])
      expect((await failingWith(thrown)).answer.statusCode).toBe(500);
  });

  test("a lost race that escapes is `busy`, and may be tried again in a second", async () => {
    const { answer, logged } = await failingWith(new WriteConflict([{ key: { pk: "p", sk: "s" }, expected: 1 }]));
    expect(answer.statusCode).toBe(503);
    expect(bodyOf(answer).code).toBe("busy");
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.body).not.toContain('"p');
    expect(logged).toEqual([]);
  });

  test("retry-after comes with exactly the codes that may pass", async () => {
    for (const code of Object.keys(errors) as (keyof typeof errors)[]) {
      const door = openDoor();
      const route = { ...routes["health.get"], errors: [code] };
      const answer = await serve(door, "x", route, () => Promise.reject(new MusterError(code, "")))(eventOf("GET /"));
      expect(answer.statusCode).toBe(errors[code].status);
      expect("retry-after" in answer.headers).toBe(errors[code].retry);
    }
  });
});

describe("the same request again", () => {
  test("gets the first answer, the route's status and a mark; its effect happens once", async () => {
    const door = openDoor();
    let effects = 0;
    let begun = 0;
    const create = creating(
      door,
      () => effects++,
      () => begun++,
    );
    const token = await door.token("member");
    const first = await create(token, { name: "a" }, { key: "k1" });
    const again = await create(token, { name: "a" }, { key: "k1" });
    expect([first.statusCode, again.statusCode]).toEqual([202, 202]);
    expect(again.body).toBe(first.body);
    expect([first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]]).toEqual([undefined, "true"]);
    // The verb is not even asked: by now it might refuse.
    expect([effects, begun]).toEqual([1, 1]);
  });

  test("eight at once have one effect and one answer", async () => {
    const door = openDoor();
    let effects = 0;
    const create = creating(door, () => effects++);
    const token = await door.token("member");
    const all = await Promise.all(Array.from({ length: 8 }, () => create(token, { name: "a" }, { key: "k" })));
    expect(new Set(all.map(answer => `${answer.statusCode} ${answer.body}`)).size).toBe(1);
    expect(effects).toBe(1);
  });

  test("with another body, path or query under the same key it is refused", async () => {
    const door = openDoor();
    const create = creating(door);
    const token = await door.token("member");
    await create(token, { name: "a" }, { key: "k" });
    for (const answer of [
      await create(token, { name: "b" }, { key: "k" }),
      await create(token, '{ "name": "a" }', { key: "k" }),
      await create(token, { name: "a" }, { key: "k", rawPath: "/v1/clusters/" }),
    ]) {
      expect(answer.statusCode).toBe(409);
      expect(bodyOf(answer).code).toBe("idempotency_mismatch");
    }
  });

  test("another person's key is another key; and a failed request holds none", async () => {
    const door = openDoor();
    let effects = 0;
    const create = creating(door, () => effects++);
    await create(await door.token("member", "usr_a"), { name: "a" }, { key: "k" });
    expect((await create(await door.token("member", "usr_b"), { name: "b" }, { key: "k" })).statusCode).toBe(202);
    expect((await create(await door.token("member", "usr_c"), { nodes: 0 }, { key: "k" })).statusCode).toBe(400);
    expect((await create(await door.token("member", "usr_c"), {}, { key: "k" })).statusCode).toBe(202);
    expect(effects).toBe(3);
  });

  test("a key is 1 to 255 visible ASCII characters", async () => {
    const door = openDoor();
    const create = creating(door);
    const token = await door.token("member");
    for (const key of ["", " ", "a b", "ü", "x".repeat(256), "a\n"]) {
      const answer = await create(token, {}, { key });
      expect(answer.statusCode).toBe(400);
      expect(bodyOf(answer).details.issues[0].path).toBe("headers.idempotency-key");
    }
    expect((await create(token, {}, { key: "~".repeat(255) })).statusCode).toBe(202);
  });

  test("every user route that changes something honours a key; plans and uploads change nothing, and a secret is told once", () => {
    const told = ["tokens.create", "hooks.create", "hooks.rotate", "webhooks.create", "webhooks.rotate"];
    const keyless = new Set<string>(["launches.plan", "uploads.create", ...told]);
    const changing = entries.filter(
      ([id, route]) => route.auth === "user" && route.method !== "GET" && !keyless.has(id),
    );
    expect(changing.filter(([, route]) => !isKeyed(route)).map(([id]) => id)).toEqual([]);
    expect(entries.filter(([, route]) => isKeyed(route))).toEqual(changing);
  });
});

describe("dispatcher", () => {
  test("finds the verb by the event's route key, and knows what it does not serve", async () => {
    const door = openDoor();
    const dispatch = dispatcher(door, routes, { "health.get": async () => ({ ok: true, version: "7" }) });
    expect(bodyOf(await dispatch(eventOf("GET /v1/health"))).version).toBe("7");
    for (const key of ["$default", "GET /v1/clusters", "", "__proto__"]) {
      const answer = await dispatch(eventOf(key));
      expect(answer.statusCode).toBe(404);
      expect(bodyOf(answer).code).toBe("not_found");
    }
  });

  test("costs at most 0.3 ms of CPU per request in the middle", async () => {
    const door = openDoor();
    const actor = { workspace: "wsp_test", id: "usr_ada", role: "member" } as const;
    const free = { ...door, authenticate: async () => actor, findClaim: async () => undefined };
    const dispatch = dispatcher(free, routes, { "clusters.create": async () => cluster });
    const event = eventOf("POST /v1/clusters", {
      headers: { authorization: "x", "content-type": "application/json", "idempotency-key": "k" },
      body: JSON.stringify({
        name: "a",
        nodes: 2,
        idle: { after: 30, action: "stop" },
        resources: { cpus: { count: 2, atLeast: true } },
      }),
    });
    const times: number[] = [];
    for (let round = 0; round < 2_000; round++) {
      const begun = performance.now();
      await dispatch(event);
      times.push(performance.now() - begun);
    }
    expect(times.sort((a, b) => a - b)[1_000]).toBeLessThan(0.3);
  });
});
