import * as List from "@muster/core/audit/list.ts";
import { Event } from "@muster/core/event/event.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

export const audit = {
  "audit.list": route({
    method: "GET",
    path: "/v1/audit",
    summary:
      "What people and programs did in the workspace, newest first; a page looks at 1,000 lines at most, and may be short, or empty, before the last",
    auth: "user",
    role: "admin",
    status: 200,
    query: PageQuery.extend(List.Query.shape),
    output: page(Event),
    errors: [],
  }),
} as const;
