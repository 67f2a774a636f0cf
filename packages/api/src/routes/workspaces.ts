import * as Workspace from "@muster/core/workspace/workspace.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

const one = { auth: "user", role: "admin", output: Workspace.Workspace } as const;

/** For admins of the first workspace: they look after the deployment. */
export const workspaces = {
  "workspaces.create": route({
    ...one,
    method: "POST",
    path: "/v1/workspaces",
    summary: "Make a workspace; admins of the first one only",
    status: 201,
    body: Workspace.Create,
    errors: ["name_taken", "idempotency_mismatch"],
  }),
  "workspaces.list": route({
    ...one,
    method: "GET",
    path: "/v1/workspaces",
    summary: "The workspaces of the deployment, by name; admins of the first one only",
    status: 200,
    query: PageQuery,
    output: page(Workspace.Workspace),
    errors: [],
  }),
  "workspaces.get": route({
    ...one,
    method: "GET",
    path: "/v1/workspaces/{name}",
    summary: "Read one workspace; admins of the first one only",
    status: 200,
    params: Workspace.NameParam,
    errors: ["not_found"],
  }),
} as const;
