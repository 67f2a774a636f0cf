/**
 * GitHub's REST API as far as Muster calls it, in memory. Written by us after https://docs.github.com/en/rest: the fields, the
 * refusals and the limits that are documented there.
 */
import { generateKeyPairSync, verify } from "node:crypto";
import { type Answer, type Call, type ForgeServer, forgeServer, paged, type Route } from "./server.ts";

export interface StatusSent {
  readonly sha: string;
  readonly state: string;
  readonly context: string;
  readonly description: string;
  readonly target_url?: string;
}

export interface RunSent {
  readonly id: number;
  readonly [field: string]: unknown;
}

export interface GitHubServer extends ForgeServer {
  readonly token: string;
  /** The App's private key, as GitHub hands it out: PKCS#1. */
  readonly key: string;
  readonly appId: string;
  /** In the order in which they were set. */
  readonly statuses: StatusSent[];
  readonly runs: Map<number, RunSent>;
  /** By their ids, over all pull requests. */
  readonly comments: Map<number, { readonly id: number; readonly pull: number; body: string; updatedAt: number }>;
  /** By `SHA PATH`. */
  readonly files: Map<string, string>;
  readonly permissions: Map<string, string>;
  readonly pulls: Map<number, { sha: string; fork?: boolean }>;
  readonly changed: Map<number, string[]>;
  readonly deliveries: { id: string; guid: string; status_code: number; event: string }[];
  readonly redelivered: string[];
  /** How many tokens of its installation the App was given; those before `revoked` are not good any more. */
  readonly tokens: string[];
  readonly revoked: Set<string>;
}

const REPOSITORY = "acme/models";
const STATES = new Set(["error", "failure", "pending", "success"]);

const refused = (message: string): Answer => ({ status: 422, body: { message, documentation_url: "https://docs" } });

/** Made once: it takes a while. */
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

export async function startGitHub(): Promise<GitHubServer> {
  const ids = { next: 1000 };
  const state = {
    token: "ghp_TESTtoken0123456789",
    key: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    appId: "12345",
    statuses: [] as StatusSent[],
    runs: new Map<number, RunSent>(),
    comments: new Map<number, { id: number; pull: number; body: string; updatedAt: number }>(),
    files: new Map<string, string>(),
    permissions: new Map<string, string>(),
    pulls: new Map<number, { sha: string; fork?: boolean }>(),
    changed: new Map<number, string[]>(),
    deliveries: [] as GitHubServer["deliveries"],
    redelivered: [] as string[],
    tokens: [] as string[],
    revoked: new Set<string>(),
  };

  const isJwt = (call: Call): boolean => {
    const [head = "", body = "", signature = ""] = bearerOf(call).split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString() || "{}");
    const isSigned = verify(
      "RSA-SHA256",
      Buffer.from(`${head}.${body}`),
      publicKey,
      Buffer.from(signature, "base64url"),
    );
    return isSigned && claims.iss === state.appId && claims.exp - claims.iat <= 600;
  };
  const guard = (call: Call): Answer | undefined => {
    if (call.headers["x-github-api-version"] !== "2022-11-28") return { status: 400, body: { message: "no version" } };
    if (call.headers["user-agent"] === undefined) return { status: 403, body: "Request forbidden: no User-Agent" };
    const token = bearerOf(call);
    const isApp = call.path.startsWith("/app/") || call.path.endsWith("/installation");
    const good = isApp
      ? isJwt(call)
      : token === state.token || (state.tokens.includes(token) && !state.revoked.has(token));
    return good ? undefined : { status: 401, body: { message: "Bad credentials" } };
  };
  const asApp = (call: Call): boolean => state.tokens.includes(bearerOf(call));

  const run = (call: Call, id: number, before: object): Answer => {
    if (!asApp(call)) return { status: 403, body: { message: "You must authenticate via a GitHub App." } };
    const { output, status, conclusion } = call.body as {
      output?: { summary?: string };
      status?: string;
      conclusion?: string;
    };
    if ((output?.summary?.length ?? 0) > 65_535) return refused("Summary is too long (maximum is 65535 characters)");
    if (status === "completed" && conclusion === undefined) return refused("conclusion is missing");
    const now = { ...before, ...(status !== "completed" && { conclusion: null }), ...call.body, id };
    state.runs.set(id, now);
    return { status: 201, body: now };
  };

  const routes: Route[] = [
    [
      "POST",
      /^\/repos\/acme\/models\/statuses\/([0-9a-f]{40})$/,
      ({ body }, [sha = ""]) => {
        const { state: to, context, description = "", target_url } = body as Record<string, string>;
        if (!STATES.has(to ?? "") || context === undefined) return refused("Validation Failed");
        if ([...description].length > 140) return refused("description is too long (maximum is 140 characters)");
        if (target_url !== undefined && !/^https?:\/\//.test(target_url))
          return refused("target_url must use http(s) scheme");
        state.statuses.push({ sha, state: to ?? "", context, description, ...(target_url && { target_url }) });
        return { status: 201, body: { id: ids.next++, ...body } };
      },
    ],
    ["POST", /^\/repos\/acme\/models\/check-runs$/, call => run(call, ids.next++, {})],
    [
      "PATCH",
      /^\/repos\/acme\/models\/check-runs\/(\d+)$/,
      (call, [id]) => {
        const before = state.runs.get(Number(id));
        return before === undefined ? { status: 404, body: { message: "Not Found" } } : run(call, Number(id), before);
      },
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/commits\/([0-9a-f]{40})\/check-runs$/,
      ({ query }, [sha]) => {
        const found = [...state.runs.values()].filter(
          one => one.head_sha === sha && one.name === query.get("check_name"),
        );
        return { status: 200, body: { total_count: found.length, check_runs: found } };
      },
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/issues\/(\d+)\/comments$/,
      (call, [pull]) => {
        const since = Date.parse(call.query.get("since") ?? "1970-01-01T00:00:00Z");
        const found = [...state.comments.values()].filter(one => one.pull === Number(pull) && one.updatedAt >= since);
        return { status: 200, body: paged(found, call) };
      },
    ],
    [
      "POST",
      /^\/repos\/acme\/models\/issues\/(\d+)\/comments$/,
      ({ body }, [pull]) => {
        const comment = { id: ids.next++, pull: Number(pull), body: String(body.body), updatedAt: Date.now() };
        state.comments.set(comment.id, comment);
        return { status: 201, body: comment };
      },
    ],
    [
      "PATCH",
      /^\/repos\/acme\/models\/issues\/comments\/(\d+)$/,
      ({ body }, [id]) => {
        const comment = state.comments.get(Number(id));
        if (comment === undefined) return { status: 404, body: { message: "Not Found" } };
        Object.assign(comment, { body: String(body.body), updatedAt: Date.now() });
        return { status: 200, body: comment };
      },
    ],
    ...reading(state),
    [
      "GET",
      /^\/repos\/acme\/models\/installation$/,
      () => ({ status: 200, body: { id: 77, app_id: 12345, target_type: "Organization" } }),
    ],
    [
      "POST",
      /^\/app\/installations\/77\/access_tokens$/,
      ({ body }) => {
        if (JSON.stringify(body.repositories) !== '["models"]')
          return refused("There is at least one repository that …");
        const token = `ghs_installation${state.tokens.length}`;
        state.tokens.push(token);
        return { status: 201, body: { token, expires_at: new Date(Date.now() + 3_600_000).toISOString() } };
      },
    ],
  ];
  return Object.assign(await forgeServer(routes, guard), state);
}

const bearerOf = ({ headers }: Call): string => (headers.authorization ?? "").replace(/^(?:Bearer|token) /, "");

type Read = Pick<GitHubServer, "files" | "permissions" | "pulls" | "changed" | "deliveries" | "redelivered">;

function reading(state: Read): Route[] {
  const absent: Answer = { status: 404, body: { message: "Not Found" } };
  return [
    [
      "GET",
      /^\/repos\/acme\/models\/contents\/(.+)$/,
      ({ query }, [path]) => {
        const text = state.files.get(`${query.get("ref")} ${path}`);
        if (text === undefined) return absent;
        const content = Buffer.from(text)
          .toString("base64")
          .replace(/(.{60})/g, "$1\n");
        const isLarge = text.length > 1_000_000;
        const size = text.length;
        return {
          status: 200,
          body: { type: "file", encoding: isLarge ? "none" : "base64", size, content: isLarge ? "" : content, path },
        };
      },
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/collaborators\/([^/]+)\/permission$/,
      (_, [user = ""]) => {
        const permission = state.permissions.get(user);
        return permission === undefined
          ? absent
          : { status: 200, body: { permission, role_name: permission, user: { login: user } } };
      },
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/pulls\/(\d+)$/,
      (_, [number]) => {
        const pull = state.pulls.get(Number(number));
        if (pull === undefined) return absent;
        const head = { sha: pull.sha, ref: "topic", repo: { full_name: pull.fork ? "eve/models" : REPOSITORY } };
        return {
          status: 200,
          body: {
            number: Number(number),
            state: "open",
            head,
            base: { sha: "b".repeat(40), ref: "main" },
            user: { login: "eve" },
          },
        };
      },
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/pulls\/(\d+)\/files$/,
      (call, [number]) => {
        const files = (state.changed.get(Number(number)) ?? []).map(filename => ({
          filename,
          status: "modified",
          patch: "@@",
        }));
        return { status: 200, body: paged(files, call) };
      },
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/compare\/([0-9a-f]+)\.\.\.([0-9a-f]+)$/,
      () => ({
        status: 200,
        body: {
          status: "ahead",
          files: [
            { filename: "now.py", previous_filename: "before.py", status: "renamed" },
            { filename: "train.py", status: "modified" },
          ],
        },
      }),
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/hooks$/,
      () => ({ status: 200, body: [{ id: 5, active: true, config: { url: "https://muster.example/v1/hooks/hk_1" } }] }),
    ],
    [
      "GET",
      /^\/repos\/acme\/models\/hooks\/5\/deliveries$/,
      ({ query }) => {
        const from = Number(query.get("cursor")?.replace("v1_", "") ?? 0);
        const page = state.deliveries.slice(from, from + 2);
        const next = from + 2 < state.deliveries.length ? `v1_${from + 2}` : undefined;
        const link = `<https://api.github.com/repositories/1/hooks/5/deliveries?per_page=2&cursor=${next}>; rel="next"`;
        // By hand: their ids are longer than a number of JavaScript holds.
        const body = page.map(
          one =>
            `{"id":${one.id},"guid":"${one.guid}","delivered_at":"2026-01-01T00:00:00Z","redelivery":false,"duration":0.1,` +
            `"status":"OK","status_code":${one.status_code},"event":"${one.event}","action":null,"installation_id":null}`,
        );
        return { status: 200, ...(next && { headers: { link } }), body: `[${body.join(",")}]` };
      },
    ],
    [
      "POST",
      /^\/repos\/acme\/models\/hooks\/5\/deliveries\/(\d+)\/attempts$/,
      (_, [id = ""]) => {
        state.redelivered.push(id);
        return { status: 202, body: {} };
      },
    ],
  ];
}
