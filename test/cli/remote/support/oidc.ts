/** A real OpenID provider that is not ours (`oidc-provider`), on this machine's loopback, over TLS. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Context, Provider } from "oidc-provider";

export const CLIENT = "muster-cli";

export interface Oidc extends AsyncDisposable {
  readonly url: string;
  /** File of the certificate, for programs that must trust it. */
  readonly cert: string;
  /** People who have an account, with what is said of them. */
  readonly people: Map<string, Readonly<Record<string, unknown>>>;
  /** Answers of the token endpoint that come before its own. */
  readonly said: { status: number; error: string }[];
  /** Grants that were asked for, in order. */
  readonly grants: string[];
  /** From now on it signs with another key, and no longer publishes the one before. */
  rotate(): void;
}

const key = (kid: string) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
};

export async function openOidc(): Promise<Oidc> {
  const folder = mkdtempSync(join(tmpdir(), "muster-oidc-"));
  const [keyFile, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test".split(" ");
  execFileSync("openssl", [...args, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyFile, "-out", cert], {
    stdio: "ignore",
  });
  const trusted = getCACertificates("default");
  setDefaultCACertificates([...trusted, readFileSync(cert, "utf8")]);
  const people: Oidc["people"] = new Map();
  const said: Oidc["said"] = [];
  const grants: string[] = [];
  const place = { current: undefined as Provider | undefined };
  const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(cert) }, (request, response) =>
    place.current?.callback()(request, response),
  ).listen(0, "127.0.0.1");
  await new Promise(resolve => server.once("listening", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = new Map<string, object>();
  const begin = (kid: string): void => {
    place.current = provider(url, key(kid), people, store);
    place.current.use(between(said, grants));
  };
  begin("first");
  return {
    ...{ url, cert, people, said, grants },
    rotate: () => begin(`key-${crypto.randomUUID()}`),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      setDefaultCACertificates(trusted);
      rmSync(folder, { recursive: true });
    },
  };
}

function provider(url: string, jwk: object, people: Oidc["people"], store: Map<string, object>): Provider {
  return new Provider(url, {
    adapter: adapterOf(store),
    jwks: { keys: [jwk] },
    cookies: { keys: ["of this test alone"] },
    clients: [
      {
        client_id: CLIENT,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/callback"],
        response_types: ["code"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      },
    ],
    // As most issuers do: what is asked for stands in the ID token.
    conformIdTokenClaims: false,
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    features: { devInteractions: { enabled: true }, deviceFlow: { enabled: true }, revocation: { enabled: true } },
    findAccount: (_context: unknown, sub: string) => {
      const claims = people.get(sub);
      return claims && { accountId: sub, claims: async () => ({ sub, ...claims }) };
    },
  });
}

/** What stands between: a token endpoint that is tired, and devices that need not wait for five seconds. */
const between =
  (said: Oidc["said"], grants: string[]) =>
  async (context: Context, next: () => Promise<void>): Promise<void> => {
    const answer = context.path === "/token" ? said.shift() : undefined;
    if (answer !== undefined) {
      context.status = answer.status;
      context.body = { error: answer.error };
      return;
    }
    await next();
    if (context.path === "/token") grants.push(String(context.status));
    if (context.path === "/device/auth") context.body = { ...(context.body as object), interval: 1 };
  };

/** Keeps what the provider keeps, so that it outlives a change of keys. */
const adapterOf = (store: Map<string, object>) =>
  class {
    readonly model: string;
    constructor(model: string) {
      this.model = model;
    }
    #at = (id: string): string => `${this.model} ${id}`;
    #by = (field: string, value: string): object | undefined =>
      [...store].find(
        ([name, data]) => name.startsWith(`${this.model} `) && (data as Record<string, unknown>)[field] === value,
      )?.[1];
    upsert = async (id: string, data: object) => void store.set(this.#at(id), data);
    find = async (id: string) => store.get(this.#at(id));
    findByUid = async (uid: string) => this.#by("uid", uid);
    findByUserCode = async (code: string) => this.#by("userCode", code);
    destroy = async (id: string) => void store.delete(this.#at(id));
    consume = async (id: string) =>
      void store.set(this.#at(id), { ...store.get(this.#at(id)), consumed: Math.floor(Date.now() / 1000) });
    revokeByGrantId = async (grantId: string) => {
      for (const [name, data] of store) if ((data as { grantId?: string }).grantId === grantId) store.delete(name);
    };
  };
