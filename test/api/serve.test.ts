/** Ran against: serve() in process, with core's own tokens and idempotency over the real SQLite table in memory. */

import { MAX_BODY } from "@muster/api/http.ts";
import { routes } from "@muster/api/routes.ts";
import { serve } from "@muster/api/serve.ts";
import { describe, expect, test } from "vitest";
import { bodyOf, cluster, creating, eventOf, HOST_TOKEN, openDoor } from "./support.ts";

const get = routes["clusters.get"];

describe("who may", () => {
  test("a request without a token is refused before its body is looked at", async () => {
    const create = creating(openDoor());
    const answer = await create(undefined, "{".repeat(100_000));
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(bodyOf(answer)).toMatchObject({ code: "unauthenticated", details: {} });
    expect((await create(`Bearer mst_${"x".repeat(40)}`, {})).statusCode).toBe(401);
  });

  test("a viewer reads and does not write; member, ci and admin do both", async () => {
    const door = openDoor();
    const create = creating(door);
    const read = serve(door, "clusters.get", get, async () => cluster);
    for (const role of ["viewer", "member", "ci", "admin"] as const) {
      const authorization = await door.token(role);
      expect((await create(authorization, {})).statusCode).toBe(role === "viewer" ? 403 : 202);
      const event = eventOf("GET /v1/clusters/{cluster}", {
        headers: { authorization },
        pathParameters: { cluster: "one" },
      });
      expect((await read(event)).statusCode).toBe(200);
    }
  });

  test("a host route takes a host's token, not a user's, and hands on the host", async () => {
    const door = openDoor();
    const handler = serve(door, "agent.report", routes["agent.report"], async ({ host, body }) => ({
      accepted: host.rank === 0 && body.state === "running",
    }));
    const body = JSON.stringify({ jobId: "job_1", fence: 1, state: "running" });
    const ask = (authorization: string) =>
      handler(
        eventOf("POST /v1/agent/report", { headers: { authorization, "content-type": "application/json" }, body }),
      );
    expect(bodyOf(await ask(HOST_TOKEN))).toEqual({ accepted: true });
    expect((await ask(await door.token("admin"))).statusCode).toBe(401);
  });

  test("a route for everybody asks nobody who they are", async () => {
    const handler = serve(openDoor(), "health.get", routes["health.get"], async () => ({
      ok: true as const,
      version: "1",
    }));
    const answer = await handler(eventOf("GET /v1/health"));
    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer)).toEqual({ ok: true, version: "1" });
  });
});

describe("what a request says", () => {
  test("all that is wrong is told at once, each at its place", async () => {
    const door = openDoor();
    const handler = serve(door, "jobs.submit", routes["jobs.submit"], () => Promise.reject(new Error("never called")));
    const answer = await handler(
      eventOf("POST /v1/clusters/{cluster}/jobs", {
        headers: { authorization: await door.token("member"), "content-type": "application/json" },
        pathParameters: { cluster: "x".repeat(64) },
        rawQueryString: "verbose=1",
        body: JSON.stringify({
          task: { nodes: 0, resources: { acelerators: {} }, envs: { "1X": "" } },
          priority: "high",
          "a.b": 1,
        }),
      }),
    );
    expect(answer.statusCode).toBe(400);
    const { code, message, details } = bodyOf(answer);
    expect(code).toBe("invalid_request");
    expect(details.issues.map((issue: { path: string }) => issue.path).sort()).toEqual([
      "body.a.b",
      "body.priority",
      "body.task.envs.1X",
      "body.task.nodes",
      "body.task.resources.acelerators",
      "params.cluster",
      "query.verbose",
    ]);
    expect(message).toMatch(/^the request is not valid: params\.cluster: .* \(and 6 more\)$/);
    expect(details.issues).toContainEqual({
      path: "body.task.envs.1X",
      message: "use letters, digits and '_', not starting with a digit",
    });
  });

  test("a union's issue is told in the words of the form that was meant", async () => {
    const door = openDoor();
    const create = creating(door);
    const token = await door.token("member");
    const issuesFor = async (idle: unknown) => bodyOf(await create(token, { idle })).details.issues;
    expect(await issuesFor({ after: -1, action: "stop", them: 1 })).toEqual([
      { path: "body.idle.after", message: "Too small: expected number to be >=0" },
      { path: "body.idle.them", message: "is not a key that belongs here" },
    ]);
    expect(await issuesFor("sometimes")).toEqual([
      { path: "body.idle", message: 'Invalid input: expected "never", or expected object, received string' },
    ]);
  });

  test("a body that is missing, of another type, compressed, or not UTF-8 is refused with the reason", async () => {
    const door = openDoor();
    const create = creating(door);
    const token = await door.token("member");
    const path = async (body: string, more: object) => {
      const answer = await create(token, body, more);
      expect(answer.statusCode).toBe(400);
      return bodyOf(answer).details.issues[0].path;
    };
    expect(await path("", {})).toBe("body");
    for (const type of [
      undefined,
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=latin1",
    ])
      expect(await path("{}", { headers: { "content-type": type } })).toBe("headers.content-type");
    expect(await path("{}", { headers: { "content-encoding": "gzip" } })).toBe("headers.content-encoding");
    const latin1 = await create(token, Buffer.from('{"name":"gr\xfcn"}', "latin1").toString("base64"), {
      isBase64Encoded: true,
    });
    expect(bodyOf(latin1).details.issues).toEqual([{ path: "body", message: "is not UTF-8" }]);
    expect(await path("\ufeff{}", {})).toBe("body");
    expect(await path(Buffer.from("\ufeff{}").toString("base64"), { isBase64Encoded: true })).toBe("body");
    for (const type of ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'])
      expect((await create(token, {}, { headers: { "content-type": type } })).statusCode).toBe(202);
  });

  test("a body in base64 is read as what it holds", async () => {
    const door = openDoor();
    const body = Buffer.from(JSON.stringify({ name: "grün".replace("ü", "u") })).toString("base64");
    const answer = await creating(door)(await door.token("member"), body, { isBase64Encoded: true });
    expect(bodyOf(answer).name).toBe("grun");
  });

  test("a body of a megabyte is read, one byte more is not, and the limit is said", async () => {
    const door = openDoor();
    const create = creating(door);
    const token = await door.token("member");
    expect((await create(token, `{}${" ".repeat(MAX_BODY - 2)}`)).statusCode).toBe(202);
    for (const body of [`{}${" ".repeat(MAX_BODY - 1)}`, "x".repeat(10_000_000), "ü".repeat(MAX_BODY / 2 + 1)]) {
      for (const isBase64Encoded of [false, true]) {
        const sent = isBase64Encoded ? Buffer.from(body).toString("base64") : body;
        const answer = await create(token, sent, { isBase64Encoded });
        expect(answer.statusCode).toBe(413);
        expect(bodyOf(answer)).toMatchObject({ code: "too_large", details: { maxBytes: MAX_BODY } });
        expect(answer.body).toContain(String(MAX_BODY));
      }
    }
  });

  test("a hundred thousand wrong keys give an answer of a hundred issues", async () => {
    const door = openDoor();
    const body = Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`wrong${at}`, 1]));
    const answer = await creating(door)(await door.token("member"), body);
    expect(bodyOf(answer).details.issues).toHaveLength(100);
    expect(bodyOf(answer).details.untold).toBe(59_900);
    expect(answer.body.length).toBeLessThan(50_000);
  });

  test("keys such as __proto__ and constructor change nothing but the answer", async () => {
    const door = openDoor();
    const create = creating(door);
    const token = await door.token("member");
    for (const body of [
      '{"__proto__":{"shared":true}}',
      '{"constructor":{"prototype":{"shared":true}}}',
      '{"resources":{"labels":{"__proto__":"x"}}}',
      '{"name":"a","name":"b"}',
    ]) {
      const answer = await create(token, body);
      expect([202, 400]).toContain(answer.statusCode);
      if (answer.statusCode === 202) expect(bodyOf(answer).shared).toBe(false);
    }
    expect(bodyOf(await create(token, '{"name":"a","name":"b"}')).name).toBe("b");
    expect(({} as { shared?: unknown }).shared).toBeUndefined();
    const list = serve(door, "clusters.list", routes["clusters.list"], async ({ query }) => ({
      items: [],
      cursor: String(query.limit),
    }));
    const event = (rawQueryString: string) =>
      eventOf("GET /v1/clusters", { rawQueryString, headers: { authorization: token } });
    expect((await list(event("__proto__=1"))).statusCode).toBe(400);
    expect(bodyOf(await list(event("limit=7"))).cursor).toBe("7");
  });

  test("a query is read strictly: numbers, booleans, repetitions, misspellings", async () => {
    const door = openDoor();
    const list = serve(door, "clusters.list", routes["clusters.list"], async ({ query }) => ({
      items: [],
      cursor: JSON.stringify(query),
    }));
    const authorization = await door.token("viewer");
    const ask = (rawQueryString: string) =>
      list(eventOf("GET /v1/clusters", { rawQueryString, headers: { authorization } }));
    expect(JSON.parse(bodyOf(await ask("")).cursor)).toEqual({ limit: 100, all: false });
    expect(JSON.parse(bodyOf(await ask("limit=5&all=true&cursor=a%20b+c")).cursor)).toEqual({
      limit: 5,
      all: true,
      cursor: "a b c",
    });
    for (const query of ["limit=0", "limit=101", "limit=x", "limit=1e99", "all=perhaps", "limit=1&limit=2", "limt=5"]) {
      const answer = await ask(query);
      expect(answer.statusCode, query).toBe(400);
      expect(bodyOf(answer).details.issues[0].path).toBe(`query.${query.split("=")[0]}`);
    }
    expect((await ask("cursor=%zz%e4")).statusCode).toBe(200);
  });
});
