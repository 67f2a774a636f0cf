/** Which function answers which route: the verbs that each function is given, against where the gateway sends requests. */
import { entries, functionOf, SERVING } from "@muster/api/routes.ts";
import type { Edge, HostEdge, SignInEdge } from "@muster/core/ports/world.ts";
import { expect, test } from "vitest";
import { admin } from "../../functions/served/admin.ts";
import { agent } from "../../functions/served/agent.ts";
import { api } from "../../functions/served/api.ts";
import { config } from "../../functions/served/config.ts";
import { hooks } from "../../functions/served/hooks.ts";
import { signin } from "../../functions/served/signin.ts";

/** Verbs are only listed here, and none is run: they see nothing of the world. */
const nowhere = {} as Edge & HostEdge & SignInEdge;

const verbs = { api, config, admin, signin, hooks, agent };

test("every route has its verb in the function that the gateway sends it to, and in no other", () => {
  const routed = SERVING.map(name => entries.map(([id]) => id).filter(id => functionOf(id) === name));
  const given = SERVING.map(name => Object.keys(verbs[name](nowhere)));
  expect(given.map(ids => ids.sort())).toEqual(routed.map(ids => ids.sort()));
});
