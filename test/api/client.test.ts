/**
 * Ran against: the client over real sockets, before a node:http server of this test's own that answers as it is told.
 * Pauses are recorded, not waited for.
 */
import { type Client, client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import { describe, expect, expectTypeOf, test } from "vitest";
import { against, failure, json, thrown } from "./client-support.ts";
import { cluster } from "./support.ts";

describe("a call", () => {
  test("goes to the route's method and path, encoded, with what identifies the caller", async () => {
    const { c, requests } = await against(json(200, cluster), {});
    await c.clusters.get({ params: { cluster: "a/b c?d#ü%2F" } });
    await c.clusters.list({ query: { limit: 5, all: "true", cursor: undefined } });
    await c.health.get();
    expect(requests.map(request => `${request.method} ${request.url}`)).toEqual([
      "GET /v1/clusters/a%2Fb%20c%3Fd%23%C3%BC%252F",
      "GET /v1/clusters?limit=5&all=true",
      "GET /v1/health",
    ]);
    expect(requests[0]?.headers).toMatchObject({
      authorization: "Bearer t0ken",
      accept: "application/json",
      "user-agent": "muster/1.2.3",
    });
    expect(requests[0]?.headers["idempotency-key"]).toBeUndefined();
    expect(requests[0]?.body).toBe("");
  });

  test("that changes something sends JSON and a key: a new one each time, or the one that is given", async () => {
    const { c, requests } = await against(json(202, cluster));
    await c.clusters.create({ body: { name: "a" } });
    await c.clusters.create({ body: { name: "a" } });
    await c.clusters.create({ body: { name: "a" } }, { idempotencyKey: "mine" });
    await c.clusters.stop({ params: { cluster: "a" } });
    const keys = requests.map(request => request.headers["idempotency-key"]);
    expect(requests[0]?.headers["content-type"]).toBe("application/json");
    expect(requests[0]?.body).toBe('{"name":"a"}');
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keys).size).toBe(4);
    expect(keys[2]).toBe("mine");
    expect(requests[3]).toMatchObject({ method: "POST", url: "/v1/clusters/a/stop", body: "" });
  });

  test("with an id that would lead elsewhere is not sent", async () => {
    const { c, requests } = await against(json(200, cluster));
    for (const id of ["", ".", "..", "\ud800"]) {
      const error = await thrown(c.clusters.remove({ params: { cluster: id } }));
      expect(error).toMatchObject({ code: "invalid_request", details: { issues: [{ path: "params.cluster" }] } });
    }
    expect(requests).toEqual([]);
  });

  test("keeps an endpoint's own path, with or without a slash", async () => {
    const { requests, endpoint } = await against(json(200, { ok: true, version: "1" }));
    await client({ endpoint: `${endpoint}/stage//`, version: "1" }).health.get();
    expect(requests[0]?.url).toBe("/stage/v1/health");
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  test("is typed by the route", () => {
    type Get = Client["clusters"]["get"];
    expectTypeOf<Get>().returns.resolves.toEqualTypeOf<Cluster.Info>();
    expectTypeOf<Get>().parameter(0).toEqualTypeOf<{ readonly params: { cluster: string } }>();
    expectTypeOf<Client["health"]["get"]>().toBeCallableWith();
    expectTypeOf<Client["clusters"]["list"]>().toBeCallableWith();
    expectTypeOf<Client["clusters"]["create"]>().toBeCallableWith({ body: {} });
    const c = client({ endpoint: "http://127.0.0.1:1", version: "1" });
    // @ts-expect-error: the cluster is missing
    const missing = () => c.clusters.get();
    // @ts-expect-error: there is no such field
    const wrong = () => c.launches.create({ body: { task: {}, clutser: "a" } });
    // @ts-expect-error: this route takes nothing
    const nothing = () => c.health.get({ query: {} });
    expect([missing, wrong, nothing]).toHaveLength(3);
  });
});

describe("a failure", () => {
  test("is the MusterError that was told", async () => {
    const { c, requests } = await against(failure("not_found", 404));
    const error = await thrown(c.clusters.get({ params: { cluster: "a" } }));
    expect(error).toBeInstanceOf(MusterError);
    expect(error).toMatchObject({ code: "not_found", message: "it is not_found", details: { hint: "h" } });
    expect(requests).toHaveLength(1);
  });

  test("that may pass is tried again under the same key, five times in all, with growing pauses", async () => {
    const { c, requests, pauses } = await against(failure("busy", 503));
    expect(await thrown(c.clusters.create({ body: {} }))).toMatchObject({ code: "busy" });
    expect(requests).toHaveLength(5);
    expect(new Set(requests.map(request => request.headers["idempotency-key"])).size).toBe(1);
    expect(pauses).toHaveLength(4);
    pauses.forEach((pause, at) => {
      expect(pause).toBeGreaterThanOrEqual(0);
      expect(pause).toBeLessThanOrEqual(200 * 2 ** (at + 1));
    });
  });

  test("is forgotten when a later try succeeds", async () => {
    const { c, pauses } = await against((request, response, round) =>
      (round < 3 ? failure("unavailable", 503) : json(200, cluster))(request, response, round),
    );
    expect(await c.clusters.get({ params: { cluster: "a" } })).toEqual(cluster);
    expect(pauses).toHaveLength(2);
  });

  test("says how long to wait, and is heeded up to half a minute", async () => {
    for (const [said, least, most] of [
      ["1", 1_000, 6_000],
      ["86400", 30_000, 35_000],
      ["soon", 0, 5_000],
      ["-5", 0, 5_000],
    ] as const) {
      const { c, pauses } = await against(failure("busy", 503, { "retry-after": said }));
      await thrown(c.health.get());
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(least);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(most);
    }
  });

  test("with a code of a newer control plane is told by its status", async () => {
    const { c } = await against(json(404, { code: "went_fishing", message: "gone", details: {} }));
    expect(await thrown(c.health.get())).toMatchObject({
      code: "not_found",
      message: "gone",
      details: { status: 404 },
    });
  });

  test("of the gateway itself is told in its words", async () => {
    for (const [status, message, code, tries] of [
      [429, "Too Many Requests", "too_many", 5],
      [431, "Request Header Fields Too Large", "too_large", 1],
      [503, "Service Unavailable", "unavailable", 5],
      [500, "Internal Server Error", "internal", 1],
      [404, "Not Found", "not_found", 1],
      [413, "Request Entity Too Large", "too_large", 1],
      [403, "Forbidden", "forbidden", 1],
      [418, "I'm a teapot", "invalid_request", 1],
    ] as const) {
      const { c, requests } = await against(json(status, { message }));
      expect(await thrown(c.health.get())).toMatchObject({ code, message });
      expect(requests).toHaveLength(tries);
    }
  });
});
