/** Handlers of the function `signin`: for those who have no token yet. */
import type { Runs } from "@muster/api/serve.ts";
import type { SignInEdge } from "@muster/core/ports/world.ts";
import { login } from "../api/login.ts";

export const signin = (world: SignInEdge) => ({ ...login(world) }) satisfies Runs;
