/** What every deployment keeps. */
import type { Law } from "../harness/view.ts";
import { api } from "./api.ts";
import { data } from "./data.ts";
import { functions } from "./functions.ts";
import { machines } from "./machines.ts";
import { options } from "./options.ts";
import { roles } from "./roles.ts";

export const laws = { ...api, ...roles, ...data, ...machines, ...functions, ...options } as const satisfies Record<
  string,
  Law
>;
export type LawName = keyof typeof laws;
