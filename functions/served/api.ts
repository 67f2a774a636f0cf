/** Handlers of the function `api`: for people and programs. */
import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { artifacts } from "../api/artifacts.ts";
import { clusters } from "../api/clusters.ts";
import { jobs } from "../api/jobs.ts";
import { launches } from "../api/launches.ts";
import { providers } from "../api/providers.ts";
import { uploads } from "../api/uploads.ts";

export const api = (world: Edge) =>
  ({
    ...artifacts(world),
    ...clusters(world),
    ...jobs(world),
    ...launches(world),
    ...providers(world),
    ...uploads(world),
  }) satisfies Runs;
