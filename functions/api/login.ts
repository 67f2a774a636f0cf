import { counting } from "@muster/api/counting.ts";
import type { Routes } from "@muster/api/routes.ts";
import type { Run, Runs } from "@muster/api/serve.ts";
import { aws } from "@muster/core/login/aws.ts";
import { exchange } from "@muster/core/login/exchange.ts";
import { options } from "@muster/core/login/options.ts";
import type { SignInEdge } from "@muster/core/ports/world.ts";

export const login = (world: SignInEdge) => {
  const exchanging: Run<Routes["login.exchange"]> = ({ body, from }) =>
    exchange(world, body, from === undefined ? {} : { from });
  return {
    "login.options": ({ query }) => options(world, query.workspace),
    "login.exchange": counting(world, exchanging),
    "login.aws": ({ identity, body }) => aws(world, identity, body),
  } satisfies Runs;
};
