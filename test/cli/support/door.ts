/** Control planes of tests: real handlers behind a real HTTP server, with a gateway's work done by the test. */

import { doorOf } from "@muster/api/door.ts";
import type { HttpAnswer, HttpEvent } from "@muster/api/http.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import type { Edge, HostEdge, SignInEdge } from "@muster/core/ports/world.ts";
import { listen } from "@muster/local/http/listen.ts";
import { handlers } from "../../../functions/handlers.ts";

export interface Door extends AsyncDisposable {
  readonly url: string;
  /** Route keys, in the order in which they were asked for. */
  readonly asked: string[];
}

interface Gateway {
  /** What comes in, changed, or an answer that the gateway gives itself. */
  readonly before?: (event: HttpEvent) => Promise<HttpEvent | HttpAnswer>;
  /** What goes out, changed. */
  readonly after?: (routeKey: string, value: Readonly<Record<string, unknown>>) => unknown;
}

export async function openDoor(world: Edge & HostEdge & SignInEdge, { before, after }: Gateway = {}): Promise<Door> {
  const dispatch = dispatcher(doorOf(world), routes, handlers(world));
  const asked: string[] = [];
  const answer = async (event: HttpEvent): Promise<HttpAnswer> => {
    asked.push(event.routeKey);
    const passed = (await before?.(event)) ?? event;
    if ("statusCode" in passed) return passed;
    const given = await dispatch(passed);
    if (after === undefined) return given;
    return { ...given, body: JSON.stringify(after(event.routeKey, JSON.parse(given.body))) };
  };
  const nothing = async () => new Response(null, { status: 404 });
  const server = await listen({ dispatch: answer, blobs: nothing });
  return { url: server.url, asked, [Symbol.asyncDispose]: () => server.close() };
}
