/** What the function `api` answers: people's and programs' daily work. */
import { artifacts } from "../routes/artifacts.ts";
import { clusters } from "../routes/clusters.ts";
import { jobs } from "../routes/jobs.ts";
import { providers, uploads } from "../routes/rest.ts";

export const api = { ...jobs, ...artifacts, ...clusters, ...uploads, ...providers } as const;
