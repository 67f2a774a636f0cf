import type { Runs } from "@muster/api/serve.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { exec } from "@muster/core/job/exec.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const clusters = (world: Edge) =>
  ({
    "clusters.create": ({ actor, body }) => Create.create(world, actor, body),
    "clusters.list": ({ actor, query }) => Read.list(world, actor, query),
    "clusters.get": ({ actor, params }) => Read.get(world, actor, params.cluster),
    "clusters.start": ({ actor, params, query }) => Change.start(world, actor, params.cluster, query),
    "clusters.stop": ({ actor, params, query }) => Change.stop(world, actor, params.cluster, query),
    "clusters.remove": ({ actor, params }) => Change.remove(world, actor, params.cluster),
    "clusters.exec": ({ actor, params, body }) => exec(world, actor, params.cluster, body),
    "clusters.events": ({ actor, params, query }) => Read.events(world, actor, params.cluster, query),
    "clusters.hosts": ({ actor, params, query }) => Read.hosts(world, actor, params.cluster, query),
  }) satisfies Runs;
