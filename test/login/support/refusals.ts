/**
 * Ways to show something that must let nobody in: each made of a real key, and wrong in one way. Signed by Node's
 * own cryptography, and not by the library that checks.
 */
import { createHmac, createSign } from "node:crypto";
import { encoded, GITHUB, githubClaims, type Network, type Signing, signatureOf, signed, signing } from "./issuer.ts";

export interface Case {
  readonly now: number;
  /** Published, and the issuer's. */
  readonly key: Signing;
  /** Published, of another algorithm. */
  readonly curve: Signing;
  /** Nobody's. */
  readonly forged: Signing;
  readonly network: Network;
}

type Make = (at: Case) => string | Promise<string>;

const claims = (at: Case, more: object = {}) => githubClaims(at.now, { aud: "muster", ...more });
const seconds = (at: Case) => Math.floor(at.now / 1000);
const without = (at: Case, name: string) => {
  const { [name]: _, ...rest } = claims(at);
  return rest;
};
const honest = (at: Case) => signed(at.key, claims(at));
const by =
  (key: "key" | "forged" | "curve", header: object, more: object = {}) =>
  (at: Case) =>
    signed(at[key], claims(at, more), header);

/** Header and claims as they are, and a signature by these bytes. */
const raw = (header: object, body: unknown, sign: (text: string) => Buffer | string): string => {
  const text = `${encoded(header)}.${typeof body === "string" ? body : encoded(body)}`;
  const signature = sign(text);
  return `${text}.${typeof signature === "string" ? signature : signature.toString("base64url")}`;
};
const pem = async (at: Case) => String(at.key.publicKey.export({ type: "spki", format: "pem" }));
const hmac = (alg: "256" | "384" | "512", secret: string | Buffer) => (text: string) =>
  createHmac(`sha${alg}`, secret).update(text).digest();

const hs =
  (alg: "256" | "384" | "512", secretOf: (at: Case) => Promise<string | Buffer>): Make =>
  async at =>
    raw({ alg: `HS${alg}`, kid: at.key.kid, typ: "JWT" }, claims(at), hmac(alg, await secretOf(at)));

async function changed(at: Case, part: 0 | 1 | 2, change: (text: string) => string): Promise<string> {
  const parts = (await honest(at)).split(".");
  parts[part] = change(parts[part] ?? "");
  return parts.join(".");
}

const flip = (text: string): string => (text.startsWith("A") ? `B${text.slice(1)}` : `A${text.slice(1)}`);

/** Published for this issuer, beside its own keys. */
async function alsoPublished(at: Case, key: Signing, change: object): Promise<void> {
  at.network.publish(GITHUB, [at.key.jwk, at.curve.jwk, { ...key.jwk, ...change }]);
}

/** The signature is right, and the keys say that this is not what the key is for. */
const published =
  (kid: string, change: object): Make =>
  async at => {
    const key = signing(kid);
    await alsoPublished(at, key, change);
    return signed(key, claims(at));
  };

/** Each lets nobody in. */
export const refusals: Readonly<Record<string, Make>> = {
  "nothing at all": () => "",
  "a word": () => "token",
  "two parts": async at => (await honest(at)).split(".").slice(0, 2).join("."),
  "four parts": async at => `${await honest(at)}.more`,
  "five parts, as encrypted ones have": at =>
    [encoded({ alg: "RSA-OAEP-256", enc: "A256GCM", kid: at.key.kid }), "a", "b", encoded(claims(at)), "c"].join("."),
  "a token of Muster's": () => `mst_tok_01J00000000000000000000000_${"a".repeat(64)}`,
  "spaces around it": async at => ` ${await honest(at)} `,
  "a line end within it": async at => (await honest(at)).replace(".", ".\n"),
  "the word Bearer before it": async at => `Bearer ${await honest(at)}`,
  "JSON instead of the compact form": async at => {
    const [protectedHeader, payload, signature] = (await honest(at)).split(".");
    return JSON.stringify({ protected: protectedHeader, payload, signature });
  },
  "base64 instead of base64url": at => changed(at, 1, text => `${text.replaceAll("-", "+").replaceAll("_", "/")}==`),
  "too long, by what it carries": at => signed(at.key, claims(at, { padding: "x".repeat(16_400) })),
  "too long, by what stands in its header": at => signed(at.key, claims(at), { padding: "x".repeat(16_400) }),
  "a megabyte": () => "a".repeat(1_000_000),
  "no signature": async at => `${(await honest(at)).split(".").slice(0, 2).join(".")}.`,
  "a signature of zeros": at => changed(at, 2, text => "A".repeat(text.length)),
  "half of the signature": at => changed(at, 2, text => text.slice(0, text.length / 2)),
  "a signature with one bit changed": at => changed(at, 2, flip),
  "the signature of another token": async at => {
    const [, , other] = (await signed(at.key, claims(at, { sub: "another" }))).split(".");
    return changed(at, 2, () => other ?? "");
  },
  "claims changed after signing": at => changed(at, 1, () => encoded(claims(at, { repository: "evil/repo" }))),
  "a header changed after signing": at => changed(at, 0, () => encoded({ alg: "RS256", kid: at.key.kid, extra: 1 })),
  "claims that are no JSON": at => raw({ alg: "RS256", kid: at.key.kid }, "bm90IGpzb24", text => sign(at, text)),
  "claims that are a list": at => raw({ alg: "RS256", kid: at.key.kid }, [claims(at)], text => sign(at, text)),
  "claims that are nothing": at => raw({ alg: "RS256", kid: at.key.kid }, null, text => sign(at, text)),
  "a header that is no JSON": async at => `bm90IGpzb24.${(await honest(at)).split(".").slice(1).join(".")}`,
  "alg none": at => raw({ alg: "none", kid: at.key.kid, typ: "JWT" }, claims(at), () => ""),
  "alg None": at => raw({ alg: "None", kid: at.key.kid }, claims(at), () => ""),
  "alg nOnE with a signature": async at => raw({ alg: "nOnE" }, claims(at), () => "AAAA"),
  "no alg": at => raw({ kid: at.key.kid }, claims(at), text => sign(at, text)),
  "alg that is an empty text": at => raw({ alg: "", kid: at.key.kid }, claims(at), text => sign(at, text)),
  "alg that is a list": at => raw({ alg: ["RS256"], kid: at.key.kid }, claims(at), text => sign(at, text)),
  "alg of small letters": at => raw({ alg: "rs256", kid: at.key.kid }, claims(at), text => sign(at, text)),
  "alg RS1, whose hash is broken": at =>
    raw({ alg: "RS1", kid: at.key.kid }, claims(at), text =>
      createSign("RSA-SHA1").update(text).sign(at.key.privateKey),
    ),
  "HS256 with the public key as the secret": hs("256", pem),
  "HS256 with the public key without its last line end": hs("256", async at => (await pem(at)).trim()),
  "HS384 with the public key": hs("384", pem),
  "HS512 with the public key": hs("512", pem),
  "HS256 with the modulus as the secret": hs("256", async at => Buffer.from(String(at.key.jwk.n), "base64url")),
  "HS256 with the key set's text": hs("256", async at => JSON.stringify(at.key.jwk)),
  "HS256 with an empty secret": hs("256", async () => ""),
  "HS256 with a shared key that is published": async at => {
    const k = Buffer.alloc(32, 7);
    at.network.publish(GITHUB, [at.key.jwk, { kty: "oct", k: k.toString("base64url"), kid: "shared", alg: "HS256" }]);
    return raw({ alg: "HS256", kid: "shared" }, claims(at), hmac("256", k));
  },
  "a key of nobody's, under the issuer's kid": at => signed({ ...at.forged, kid: at.key.kid }, claims(at)),
  "a key of nobody's, under its own kid": by("forged", {}),
  "a key of nobody's, with no kid": by("forged", { kid: undefined }),
  "a kid that is a path": by("forged", { kid: "../../../../dev/null" }),
  "a kid that is a URL": by("forged", { kid: "https://evil.example/keys" }),
  "a kid that asks a database": by("forged", { kid: "x' UNION SELECT 'key" }),
  "a kid that is a property of every object": by("forged", { kid: "__proto__" }),
  "a kid of the key of another algorithm": by("key", { kid: "curve" }),
  "a kid that is a number": at => raw({ alg: "RS256", kid: 1 }, claims(at), text => sign(at, text)),
  "its own key in the header": by("forged", { jwk: { kty: "RSA", n: "AQAB", e: "AQAB" } }),
  "its own real key in the header": at => signed(at.forged, claims(at), { jwk: at.forged.jwk }),
  "the place of its keys in the header (jku)": by("forged", { jku: "https://evil.example/keys" }),
  "the place of its certificate in the header (x5u)": by("forged", { x5u: "https://evil.example/cert.pem" }),
  "a certificate in the header (x5c)": by("forged", { x5c: ["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"] }),
  "an extension that it says is critical": at =>
    raw({ alg: "RS256", kid: at.key.kid, crit: ["exp"], exp: 1 }, claims(at), text => sign(at, text)),
  "an unencoded payload (b64 false)": at =>
    raw({ alg: "RS256", kid: at.key.kid, crit: ["b64"], b64: false }, claims(at), text => sign(at, text)),
  "PS256 for a key that is for RS256": at => raw({ alg: "PS256", kid: at.key.kid }, claims(at), text => sign(at, text)),
  "a key that is published for encryption": published("encryption", { use: "enc" }),
  "a key that is published for another algorithm": published("other", { alg: "RS512" }),
  "a key that is published for signing alone": published("sign-only", { key_ops: ["sign"] }),
  "two published keys and no kid": async at => {
    const key = signing("second");
    await alsoPublished(at, key, {});
    return signed(key, claims(at), { kid: undefined });
  },
  "a key of 1024 bits that is published": async at => {
    const weak = signing("weak", "RS256", 1024);
    at.network.publish(GITHUB, [at.key.jwk, at.curve.jwk, weak.jwk]);
    return signed(weak, claims(at));
  },
  "an issuer that nobody believes": by("key", {}, { iss: "https://evil.example" }),
  "the issuer with a slash at its end": by("key", {}, { iss: `${GITHUB}/` }),
  "the issuer in capitals": by("key", {}, { iss: GITHUB.toUpperCase() }),
  "the issuer over plain http": by("key", {}, { iss: GITHUB.replace("https", "http") }),
  "the issuer with a space": by("key", {}, { iss: `${GITHUB} ` }),
  "two issuers": by("key", {}, { iss: [GITHUB, "https://evil.example"] }),
  "no issuer": at => signed(at.key, without(at, "iss")),
  "another audience": by("key", {}, { aud: "https://github.com/octo-org" }),
  "an audience that begins like ours": by("key", {}, { aud: "muster.evil.example" }),
  "an audience of other letters": by("key", {}, { aud: "MUSTER" }),
  "an empty audience": by("key", {}, { aud: "" }),
  "no audience in the list": by("key", {}, { aud: [] }),
  "no audience": at => signed(at.key, without(at, "aud")),
  "an audience that is an object": by("key", {}, { aud: { muster: true } }),
  expired: at => signed(at.key, claims(at, { exp: seconds(at) - 31 })),
  "expired long ago": at => signed(at.key, claims(at, { exp: 1 })),
  "no end": at => signed(at.key, without(at, "exp")),
  "an end that is a text": by("key", {}, { exp: "9999999999" }),
  "an end that is no number": by("key", {}, { exp: null }),
  "not yet good": at => signed(at.key, claims(at, { nbf: seconds(at) + 31 })),
  "a beginning that is a text": by("key", {}, { nbf: "0" }),
  "issued in the future": at => signed(at.key, claims(at, { iat: seconds(at) + 31 })),
  "no time of issue": at => signed(at.key, without(at, "iat")),
  "a time of issue that is a text": by("key", {}, { iat: "1" }),
  "issued so long ago that its token here would be over": at =>
    signed(at.key, claims(at, { iat: seconds(at) - 3600, nbf: 0 })),
  "no subject": at => signed(at.key, without(at, "sub")),
  "an empty subject": by("key", {}, { sub: "" }),
  "a subject that is a number": by("key", {}, { sub: 7 }),
  "a subject of ten thousand letters": by("key", {}, { sub: "x".repeat(10_000) }),
};

const sign = (at: Case, text: string): string => signatureOf(at.key, text);

/** One that lets its job in. */
export const right = honest;
