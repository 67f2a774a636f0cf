/** GitLab's REST API as far as Muster calls it, in memory. Written by us after https://docs.gitlab.com/api/. */
import { type Answer, type ForgeServer, forgeServer, paged, type Route } from "./server.ts";

export interface GitLabServer extends ForgeServer {
  readonly token: string;
  /** In the order in which they were set. */
  readonly statuses: { sha: string; state: string; name: string; description: string; ref?: string }[];
  readonly notes: Map<number, { readonly id: number; readonly request: number; body: string }>;
  /** By `SHA PATH`. */
  readonly files: Map<string, string>;
  readonly members: { username: string; access_level: number; state?: string }[];
  readonly requests: Map<number, { sha: string; from: number }>;
}

const OPEN = new Set(["pending", "running"]);
const STATES = new Set(["pending", "running", "success", "failed", "canceled", "skipped"]);

export async function startGitLab(): Promise<GitLabServer> {
  const ids = { next: 500 };
  const state = {
    token: "glpat-TESTtoken0123456789",
    statuses: [] as GitLabServer["statuses"],
    notes: new Map<number, { id: number; request: number; body: string }>(),
    files: new Map<string, string>(),
    members: [] as GitLabServer["members"],
    requests: new Map<number, { sha: string; from: number }>(),
  };
  const absent: Answer = { status: 404, body: { message: "404 Not found" } };
  const routes: Route[] = [
    [
      "POST",
      /^\/projects\/42\/statuses\/([0-9a-f]{40})$/,
      ({ body }, [sha = ""]) => {
        const { state: to = "", name = "default", description = "", ref } = body as Record<string, string>;
        if (!STATES.has(to)) return { status: 400, body: { error: "state does not have a valid value" } };
        if (description.length > 255) return { status: 400, body: { message: { description: ["is too long"] } } };
        // A job of a pipeline only moves on, and never to where it is.
        const last = state.statuses.findLast(one => one.sha === sha && one.name === name);
        if (last && OPEN.has(last.state) && (last.state === to || to === "pending"))
          return {
            status: 400,
            body: {
              message: `Cannot transition status via :${to} from :${last.state} (Reason(s): Status cannot transition)`,
            },
          };
        state.statuses.push({ sha, state: to, name, description, ...(ref && { ref }) });
        return { status: 201, body: { id: ids.next++, sha, status: to, name } };
      },
    ],
    [
      "GET",
      /^\/projects\/42\/merge_requests\/(\d+)\/notes$/,
      (call, [request]) => ({
        status: 200,
        body: paged(
          [...state.notes.values()].filter(note => note.request === Number(request)),
          call,
        ),
      }),
    ],
    [
      "POST",
      /^\/projects\/42\/merge_requests\/(\d+)\/notes$/,
      ({ body }, [request]) => {
        const note = { id: ids.next++, request: Number(request), body: String(body.body) };
        state.notes.set(note.id, note);
        return { status: 201, body: note };
      },
    ],
    [
      "PUT",
      /^\/projects\/42\/merge_requests\/\d+\/notes\/(\d+)$/,
      ({ body }, [id]) => {
        const note = state.notes.get(Number(id));
        if (note === undefined) return absent;
        note.body = String(body.body);
        return { status: 200, body: note };
      },
    ],
    [
      "GET",
      /^\/projects\/42\/repository\/files\/([^/]+)\/raw$/,
      ({ query }, [path]) => {
        const text = state.files.get(`${query.get("ref")} ${path}`);
        return text === undefined ? absent : { status: 200, body: text };
      },
    ],
    [
      "GET",
      /^\/projects\/42\/members\/all$/,
      ({ query }) => ({
        status: 200,
        body: state.members.filter(({ username }) => username.includes((query.get("query") ?? "").toLowerCase())),
      }),
    ],
    [
      "GET",
      /^\/projects\/42\/merge_requests\/(\d+)$/,
      (_, [number]) => {
        const request = state.requests.get(Number(number));
        if (request === undefined) return absent;
        const { sha, from } = request;
        return {
          status: 200,
          body: { iid: Number(number), state: "opened", sha, source_project_id: from, target_project_id: 42 },
        };
      },
    ],
    [
      "GET",
      /^\/projects\/42\/merge_requests\/\d+\/diffs$/,
      call => ({ status: 200, body: paged([{ old_path: "a.py", new_path: "b.py", diff: "@@" }], call) }),
    ],
    [
      "GET",
      /^\/projects\/42\/repository\/compare$/,
      () => ({ status: 200, body: { diffs: [{ old_path: "c.py", new_path: "c.py" }], compare_timeout: false } }),
    ],
  ];
  const guard = ({ headers }: { readonly headers: Record<string, unknown> }): Answer | undefined =>
    headers["private-token"] === state.token ? undefined : { status: 401, body: { message: "401 Unauthorized" } };
  return Object.assign(await forgeServer(routes, guard), state);
}
