/** Signatures that are not right, each in a way that has a name: the verb that receives, on SQLite in memory. */
import { createHmac } from "node:crypto";
import { DEFAULT_HEADER } from "@muster/core/hook/verify.ts";
import { beforeAll, describe, expect, test } from "vitest";
import { BODY, payload, type Stage, stageOf } from "./signature-support.ts";
import { asStandard, bytesOf, fromGithub, fromGitlab, type Sent } from "./support.ts";

let world: Stage["world"];
let answer: Stage["answer"];
let unknown: Stage["unknown"];
let github: Stage["github"];
let gitlab: Stage["gitlab"];
let standard: Stage["standard"];
let other: Stage["other"];
beforeAll(async () => {
  ({ world, answer, unknown, github, gitlab, standard, other } = await stageOf());
});

describe("named cases", () => {
  const seen: string[] = [];
  const hub = (signature: string | undefined, body: Uint8Array = BODY, more: Sent["headers"] = {}): Sent => ({
    headers: { "x-github-event": "push", "x-hub-signature-256": signature, ...more },
    body,
  });
  const hex = (key: string | Buffer, body: Uint8Array = BODY, algorithm = "sha256"): string =>
    createHmac(algorithm, key).update(body).digest("hex");
  const base64 = (key: string): string => createHmac("sha256", key).update(BODY).digest("base64");
  const at = (ms: number): Sent => asStandard(standard.secret.standard, payload, world.clock.now() + ms);
  const edited = (sent: Sent, headers: Sent["headers"]): Sent => ({
    ...sent,
    headers: { ...sent.headers, ...headers },
  });
  const now = (): Sent => at(0);
  const text = () => github.secret.text;
  const good = () => `sha256=${hex(text())}`;
  const bom = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), BODY]);
  const pretty = bytesOf(JSON.stringify(payload, undefined, 2));
  const crlf = bytesOf(JSON.stringify(payload, undefined, 2).replaceAll("\n", "\r\n"));

  const toGithub: Readonly<Record<string, () => Sent>> = {
    "no signature": () => hub(undefined),
    "an empty one": () => hub(""),
    "the prefix alone": () => hub("sha256="),
    "a space alone": () => hub(" "),
    "the digits alone": () => hub(hex(text())),
    "upper-case digits": () => hub(`sha256=${hex(text()).toUpperCase()}`),
    "an upper-case prefix": () => hub(`SHA256=${hex(text())}`),
    "SHA-1, as it was once": () => hub(`sha1=${hex(text(), BODY, "sha1")}`),
    "SHA-1 called SHA-256": () => hub(`sha256=${hex(text(), BODY, "sha1")}`),
    "SHA-512": () => hub(`sha512=${hex(text(), BODY, "sha512")}`),
    "SHA-512 called SHA-256": () => hub(`sha256=${hex(text(), BODY, "sha512")}`),
    base64: () => hub(`sha256=${base64(text())}`),
    "one digit less": () => hub(good().slice(0, -1)),
    "one digit more": () => hub(`${good()}0`),
    "half of it": () => hub(good().slice(0, 39)),
    "a space behind it": () => hub(`${good()} `),
    "a space before it": () => hub(` ${good()}`),
    "a line end behind it": () => hub(`${good()}\n`),
    "a zero byte behind it": () => hub(`${good()}\0`),
    "the same twice, as two headers come": () => hub(`${good()},${good()}`),
    "the same twice, with a space": () => hub(`${good()}, ${good()}`),
    "a wrong one and a right one": () => hub(`sha256=${"0".repeat(64)},${good()}`),
    zeros: () => hub(`sha256=${"0".repeat(64)}`),
    "letters that are no digits": () => hub(`sha256=${"z".repeat(64)}`),
    "letters of other alphabets": () => hub(`sha256=${"а".repeat(64)}`),
    "half a character": () => hub(`sha256=${"\ud800".repeat(64)}`),
    "a megabyte": () => hub(`sha256=${"a".repeat(1_000_000)}`),
    "an empty key": () => hub(`sha256=${hex("")}`),
    "a wrong secret": () => hub(`sha256=${hex("wrong")}`),
    "another hook's secret": () => hub(`sha256=${hex(other.secret.text)}`),
    "the secret's bytes for its text": () => hub(`sha256=${hex(Buffer.from(text(), "hex"))}`),
    "the secret of Standard Webhooks": () => hub(`sha256=${hex(github.secret.standard)}`),
    "the secret in upper case": () => hub(`sha256=${hex(text().toUpperCase())}`),
    "the secret with a line end": () => hub(`sha256=${hex(`${text()}\n`)}`),
    "the plain hash": () => hub(`sha256=${world.digest.hashOf(BODY)}`),
    "the secret itself": () => hub(text()),
    "another body": () => hub(good(), bytesOf({ ...payload, ref: "refs/heads/other" })),
    "an empty body": () => hub(good(), new Uint8Array()),
    "one byte more": () => hub(good(), Buffer.concat([BODY, Buffer.from(" ")])),
    "one byte less": () => hub(good(), BODY.subarray(0, -1)),
    "a byte order mark before it": () => hub(good(), bom),
    "the same JSON, laid out": () => hub(good(), pretty),
    "the same JSON, with other line ends": () => hub(`sha256=${hex(text(), pretty)}`, crlf),
    "the same JSON, written anew": () =>
      hub(`sha256=${hex(text(), pretty)}`, bytesOf(JSON.parse(Buffer.from(pretty).toString()))),
    "the body as base64": () => hub(good(), bytesOf(Buffer.from(BODY).toString("base64"))),
    "the old header": () => hub(undefined, BODY, { "x-hub-signature": `sha1=${hex(text(), BODY, "sha1")}` }),
    "GitLab's token": () => hub(undefined, BODY, { "x-gitlab-token": text() }),
    "a bearer token": () => hub(undefined, BODY, { authorization: `Bearer ${text()}` }),
    "a plain signature": () => hub(undefined, BODY, { [DEFAULT_HEADER]: good() }),
    "a signature of Standard Webhooks": () => asStandard(github.secret.standard, payload, world.clock.now()),
  };
  const toGitlab: Readonly<Record<string, () => Sent>> = {
    "no token": () => edited(fromGitlab("x", payload), { "x-gitlab-token": undefined }),
    "an empty token": () => fromGitlab("", payload),
    "a wrong token": () => fromGitlab("wrong", payload),
    "another hook's token": () => fromGitlab(github.secret.text, payload),
    "a token with a space": () => fromGitlab(`${gitlab.secret.text} `, payload),
    "a token in upper case": () => fromGitlab(gitlab.secret.text.toUpperCase(), payload),
    "the token twice": () => fromGitlab(`${gitlab.secret.text},${gitlab.secret.text}`, payload),
    "the signing token for the token": () => fromGitlab(gitlab.secret.standard, payload),
    "a right token beside a wrong signature": () =>
      edited(asStandard("whsec_AAAA", payload, world.clock.now()), { "x-gitlab-token": gitlab.secret.text }),
    "a right token beside an empty signature": () =>
      edited(fromGitlab(gitlab.secret.text, payload), { "webhook-signature": "" }),
  };
  /** Rightly signed, whatever the time and the id are as text. */
  function standardly(time: string, id = "msg_1"): Sent {
    const key = Buffer.from(standard.secret.standard.slice("whsec_".length), "base64");
    const text = Buffer.concat([Buffer.from(`${id}.${time}.`), BODY]);
    const signature = `v1,${createHmac("sha256", key).update(text).digest("base64")}`;
    const headers = { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature };
    return { headers, body: BODY };
  }
  /** A right one, with its signature written otherwise. */
  function spelled(spell: (signature: string) => string | undefined): Sent {
    const sent = now();
    return edited(sent, { "webhook-signature": spell(sent.headers["webhook-signature"] ?? "") });
  }
  const second = (): number => Math.floor(world.clock.now() / 1000);
  const toStandard: Readonly<Record<string, () => Sent>> = {
    "a time of more than five minutes ago": () => at(-301_000),
    "a time more than five minutes ahead": () => at(301_000),
    "a time in milliseconds": () => standardly(String(world.clock.now())),
    "a time with a fraction": () => standardly(`${second()}.0`),
    "a time as a power": () => standardly(`${second()}e0`),
    "a time with a sign": () => standardly(`+${second()}`),
    "a time with a space": () => standardly(` ${second()}`),
    "a time in another base": () => standardly(`0x${second().toString(16)}`),
    "a time below zero": () => standardly("-1"),
    "a time that is none": () => standardly("soon"),
    "an empty time": () => standardly(""),
    "a time without end": () => standardly("9".repeat(400)),
    "no time": () => edited(now(), { "webhook-timestamp": undefined }),
    "another time": () => edited(now(), { "webhook-timestamp": String(second() + 1) }),
    "another id": () => edited(now(), { "webhook-id": "msg_other" }),
    "no id": () => edited(now(), { "webhook-id": undefined }),
    "an empty id": () => standardly(String(second()), ""),
    "no version": () => spelled(signature => signature.slice(3)),
    "another version": () => spelled(signature => signature.replace("v1,", "v2,")),
    "an asymmetric version": () => spelled(signature => signature.replace("v1,", "v1a,")),
    "no signature at all": () => spelled(() => undefined),
    "a signature in hex": () => spelled(signature => `v1,${Buffer.from(signature.slice(3), "base64").toString("hex")}`),
    "a signature without its padding": () => spelled(signature => signature.replace(/=+$/, "")),
    "more signatures than anybody has": () => spelled(signature => `${"v1,AAAA ".repeat(10)}${signature}`),
    "signatures with commas between": () => spelled(signature => `v1,AAAA,${signature}`),
    "the hex secret as the key": () =>
      asStandard(Buffer.from(standard.secret.text).toString("base64"), payload, world.clock.now()),
    "the header names of before": () => {
      const { headers, body } = now();
      const named = Object.entries(headers).map(([name, value]) => [name.replace("webhook-", "svix-"), value]);
      return { headers: Object.fromEntries(named) as Sent["headers"], body };
    },
  };

  const all = [
    ...Object.entries(toGithub).map(([name, sent]) => ({ name: `GitHub: ${name}`, hook: () => github.id, sent })),
    ...Object.entries(toGitlab).map(([name, sent]) => ({ name: `GitLab: ${name}`, hook: () => gitlab.id, sent })),
    ...Object.entries(toStandard).map(([name, sent]) => ({ name: `Standard: ${name}`, hook: () => standard.id, sent })),
    ...["", "hk_", "nonsense", "../x", "hk_00000000000000000000000000", "HK_1", "W#acme", "\0", "é".repeat(500)].map(
      id => ({
        name: `a hook that is none: ${JSON.stringify(id.slice(0, 30))}`,
        hook: () => id,
        sent: () => fromGithub(github.secret.text, "push", payload),
      }),
    ),
  ];

  test.each(all)("$name", async ({ hook, sent, name }) => {
    seen.push(name);
    expect(await answer(hook(), sent())).toBe(await unknown());
  });

  test("and a right one, made in the same way, is taken", async () => {
    expect(await answer(standard.id, standardly(String(second())))).toBe("202");
    expect(
      await answer(
        standard.id,
        spelled(signature => `v1,AAAA ${signature}`),
      ),
    ).toBe("202");
  });

  test("were more than 60", () => {
    expect(new Set(seen).size).toBe(all.length);
    expect(all.length).toBeGreaterThanOrEqual(60);
  });

  test("a body that is too large is refused whoever signed it, and one of that size is not", async () => {
    const large = new Uint8Array(5_000_001).fill(32);
    expect(await answer(github.id, fromGithub(github.secret.text, "push", Buffer.from(large).toString()))).toMatch(
      /^413 /,
    );
    expect(await answer("hk_00000000000000000000000000", { headers: {}, body: new Uint8Array(25_000_000) })).toMatch(
      /^413 /,
    );
    const most = Buffer.from(large.subarray(1)).toString();
    expect(await answer(github.id, fromGithub(github.secret.text, "push", most))).toBe("202");
  });

  test.each([
    ["an empty body", ""],
    ["what is no JSON", "{"],
    ["a number", "7"],
    ["null", "null"],
    ["a hundred thousand brackets", "[".repeat(100_000)],
    ["__proto__", '{"__proto__":{"sender":1},"constructor":2}'],
    ["fields of other kinds", '{"sender":7,"repository":[],"commits":{"a":1},"pull_request":"x","ref":{}}'],
    ["half a character", '{"ref":"\\ud800"}'],
  ])("what was signed is taken, whatever it is: %s", async (_, text) => {
    expect(await answer(github.id, fromGithub(github.secret.text, "push", text))).toBe("202");
  });

  test("what was signed is taken, also bytes that are no text", async () => {
    const body = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    expect(await answer(github.id, hub(`sha256=${hex(text(), body)}`, body))).toBe("202");
  });
});
