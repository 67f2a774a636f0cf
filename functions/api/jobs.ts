import type { Runs } from "@muster/api/serve.ts";
import { cancel } from "@muster/core/array/control.ts";
import { hold, release } from "@muster/core/job/hold.ts";
import { list } from "@muster/core/job/list.ts";
import { logText } from "@muster/core/job/log-text.ts";
import { logs } from "@muster/core/job/logs.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import { rerun } from "@muster/core/launch/rerun.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const jobs = (world: Edge) =>
  ({
    "jobs.submit": ({ actor, params, body }) => submit(world, actor, params.cluster, body),
    "jobs.list": ({ actor, query }) => list(world, actor, query),
    "jobs.get": ({ actor, params }) => Read.get(world, actor, params.job),
    "jobs.why": ({ actor, params }) => why(world, actor, params.job),
    "jobs.rerun": ({ actor, params, body }) => rerun(world, actor, params.job, body),
    "jobs.cancel": ({ actor, params }) => cancel(world, actor, params.job),
    "jobs.hold": ({ actor, params }) => hold(world, actor, params.job),
    "jobs.release": ({ actor, params }) => release(world, actor, params.job),
    "jobs.logs": ({ actor, params, query }) => logs(world, actor, params.job, query),
    "jobs.text": ({ actor, params, query }) => logText(world, actor, params.job, query),
    "jobs.events": ({ actor, params, query }) => Read.events(world, actor, params.job, query),
  }) satisfies Runs;
