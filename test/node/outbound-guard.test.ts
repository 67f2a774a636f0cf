/** Which addresses Outbound reaches. Ran against the guard itself, with a resolver of the test's own, and no network. */
import { MusterError } from "@muster/core/error.ts";
import { createOutbound, type Resolved } from "@muster/node/outbound.ts";
import { expect, test } from "vitest";
import { ALLOWED, DENIED } from "./outbound-urls.ts";

const outbound = createOutbound();

test("there are enough of them, and none twice", () => {
  expect(new Set(DENIED).size).toBe(DENIED.length);
  expect(new Set(ALLOWED).size).toBe(ALLOWED.length);
  expect(DENIED.length).toBeGreaterThanOrEqual(150);
  expect(ALLOWED.length).toBeGreaterThanOrEqual(30);
});

test.each(DENIED.map(url => [url]))("%j is not reached", url => {
  expect(codeOf(() => outbound.check(url))).toBe("invalid_request");
});

test.each(ALLOWED.map(url => [url]))("%s is reached", url => {
  expect(codeOf(() => outbound.check(url))).toBe("allowed");
});

test("what must not be reached by its text is not resolved either", async () => {
  const asked: string[] = [];
  const lookup = async (host: string) => {
    asked.push(host);
    return [{ address: "1.1.1.1", family: 4 }];
  };
  const guarded = createOutbound({ lookup });
  for (const url of DENIED) expect(await sent(guarded, url), url).toBe("invalid_request");
  expect(asked).toEqual([]);
});

const v4 = (address: string): Resolved => ({ address, family: 4 });
const v6 = (address: string): Resolved => ({ address, family: 6 });

/** What a name resolves to: none of these may be called. */
const ANSWERS: Readonly<Record<string, readonly Resolved[]>> = {
  "a private address": [v4("10.0.0.5")],
  "the loopback": [v4("127.0.0.1")],
  "the loopback of IPv6": [v6("::1")],
  "metadata of EC2": [v4("169.254.169.254")],
  "metadata of EC2 by IPv6": [v6("fd00:ec2::254")],
  "credentials of ECS": [v4("169.254.170.2")],
  "Azure's wire server": [v4("168.63.129.16")],
  "Alibaba's metadata": [v4("100.100.100.200")],
  "a public address first, a private one after it": [v4("93.184.215.14"), v4("192.168.1.1")],
  "a private address first, a public one after it": [v4("192.168.1.1"), v4("93.184.215.14")],
  "a public IPv4 and a local IPv6": [v4("93.184.215.14"), v6("fd12::1")],
  "a public IPv6 and a private IPv4": [v6("2606:4700::1"), v4("172.16.0.1")],
  "IPv6 only, link-local": [v6("fe80::1")],
  "IPv6 only, with a zone": [v6("fe80::1%eth0")],
  "a public address with a zone": [v6("2606:4700::1%eth0")],
  "a mapped address": [v6("::ffff:127.0.0.1")],
  "a mapped address in hex": [v6("::ffff:a9fe:a9fe")],
  "NAT64 of metadata": [v6("64:ff9b::a9fe:a9fe")],
  "6to4 of the loopback": [v6("2002:7f00:1::1")],
  "this network": [v4("0.0.0.0")],
  multicast: [v4("224.0.0.251")],
  broadcast: [v4("255.255.255.255")],
  "what is no address": [v4("intranet")],
  "nothing that could be read": [v4("")],
};

test("there are enough answers", () => expect(Object.keys(ANSWERS).length).toBeGreaterThanOrEqual(20));

test.each(Object.entries(ANSWERS))("a name that resolves to %s is not called", async (_, addresses) => {
  let times = 0;
  const guarded = createOutbound({
    lookup: async () => {
      times++;
      return addresses;
    },
  });
  expect(await sent(guarded, "https://hooks.example.com/")).toBe("invalid_request");
  expect(times).toBe(1);
});

test("what is said of a refusal does not say the address, nor what is in its path", async () => {
  const guarded = createOutbound({ lookup: async () => [v4("10.9.8.7")] });
  const error = await guarded.send(get("https://hooks.example.com/services/sesame")).catch((refused: Error) => refused);
  expect(error).toBeInstanceOf(MusterError);
  expect(String((error as Error).message)).not.toMatch(/10\.9\.8\.7|sesame/);
});

test("a name that nobody knows is not a refusal: it may be known tomorrow", async () => {
  const failing = createOutbound({
    lookup: () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
  });
  expect(await sent(failing, "https://hooks.example.com/")).toBe("unavailable");
  const empty = createOutbound({ lookup: async () => [] });
  expect(await sent(empty, "https://hooks.example.com/")).toBe("unavailable");
});

test("a resolver that never answers is not waited for", async () => {
  const hanging = createOutbound({ lookup: () => new Promise(() => {}) });
  expect(await sent(hanging, "https://hooks.example.com/", 5)).toBe("unavailable");
});

const get = (url: string, timeout = 1_000) => ({ method: "GET", url, headers: {}, timeout, maxBytes: 100 }) as const;

function codeOf(run: () => void): string {
  try {
    run();
    return "allowed";
  } catch (error) {
    return error instanceof MusterError ? error.code : String(error);
  }
}

async function sent(to: ReturnType<typeof createOutbound>, url: string, timeout?: number): Promise<string> {
  try {
    await to.send(get(url, timeout));
    return "sent";
  } catch (error) {
    return error instanceof MusterError ? error.code : String(error);
  }
}
