/** More bugs that control planes have had: of arrays, retries, waiting jobs, slots, and of reading too much into silence. */
import type { Bug } from "./plant.ts";

export const more: Readonly<Record<string, Bug>> = {
  "runs-begun-uncounted": [
    { file: "core/src/array/claim.ts", from: "running: array.running + 1 };", to: "running: array.running };" },
  ],
  "too-many-runs-at-a-time": [
    { file: "core/src/array/array.ts", from: "array.running < (array.concurrent ?? array.count);", to: "true;" },
  ],
  "runs-ended-uncounted": [
    {
      file: "core/src/array/settle.ts",
      from: "return { writes: changed.writes, down:",
      to: "return { writes: [], down:",
    },
  ],
  "tried-again-without-a-place": [
    {
      file: "core/src/job/recover.ts",
      from: "[...move.writes, enqueue(move.next), ...(await unwait(world.table, job))]",
      to: "[...move.writes, ...(await unwait(world.table, job))]",
    },
  ],
  "tried-again-and-still-awaited": [
    {
      file: "core/src/job/recover.ts",
      from: "[...move.writes, enqueue(move.next), ...(await unwait(world.table, job))]",
      to: "[...move.writes, enqueue(move.next)]",
    },
  ],
  "held-jobs-begin": [
    { file: "core/src/job/waiting.ts", from: "if (left.length === 0 && !job.held)", to: "if (left.length === 0)" },
  ],
  "idle-stop-without-check": [
    {
      file: "core/src/cluster/reconcile/idle.ts",
      from: "const asSeen = waitsForJobs(idle) ?",
      to: "const asSeen = slots.version < 0 ?",
    },
  ],
  "silence-is-death": [
    {
      file: "core/src/host/silence.ts",
      from: "gone: since !== undefined && heard < since && now - since >= patience",
      to: "gone: patience > 0",
    },
  ],
  "words-of-the-cloud-believed": [
    {
      file: "core/src/host/heard.ts",
      from: "if (jobs.length > 0 && (await isGone(world, host, machineId)))",
      to: "if (jobs.length > 0)",
    },
  ],
  "reports-without-fence": [
    { file: "core/src/agent/report.ts", from: "job.fence === said.fence ? ", to: "job.fence >= said.fence ? " },
    {
      file: "core/src/agent/report.ts",
      from: "record(world, host, said, rank)",
      to: "record(world, host, { ...said, fence: job.fence }, rank)",
    },
  ],
  "lost-tries-unsaid": [
    {
      file: "simulation/host/agent.ts",
      from: "for (const held of agent.box.disk.attempts.values()) take(agent, held);",
      to: "agent.box.disk.attempts.clear();",
    },
    {
      file: "simulation/host/agent.ts",
      from: "if (fence === seen) void disclaim(agent, assignment);",
      to: "void disclaim;",
    },
  ],
  "revoked-tries-run-on": [
    { file: "simulation/host/agent.ts", from: "if (driven) drop(agent, driven);", to: "if (driven) nudge(driven);" },
    // Or it learns of it by its next report.
    {
      file: "simulation/host/attempt.ts",
      from: "if (!isMine) drop(agent, driven);",
      to: "if (!isMine) nudge(driven);",
    },
  ],
  "no-time-limit": [
    {
      file: "simulation/host/attempt.ts",
      from: "Math.min(pause(script, sim.now), held.timeLimit - sim.now)",
      to: "pause(script, sim.now)",
    },
    {
      file: "simulation/host/attempt.ts",
      from: "if (sim.now >= held.timeLimit) held.stop",
      to: "if (sim.now < 0) held.stop",
    },
    {
      file: "core/src/job/reconcile/reconcile.ts",
      from: "expired !== undefined && expired <= now)",
      to: "expired === 0)",
    },
  ],
  "calls-in-doubt-forgotten-soon": [
    { file: "simulation/ports/provider.ts", from: "unknown: LONGEST_STALL + MINUTE,", to: "unknown: MINUTE," },
  ],
  "running-reports-not-settled-again": [
    {
      file: "core/src/agent/report.ts",
      from: 'isNew || said.state !== "preparing"',
      to: 'isNew || said.state === "exited"',
    },
  ],
  "silent-hosts-get-more-jobs": [
    {
      file: "core/src/job/reconcile/reconcile.ts",
      from: "isLate(judged, now) || silent.includes(rank) ?",
      to: "isLate(judged, now) || silent.length < 0 ?",
    },
  ],
  "no-stable-token": [
    {
      file: "core/src/cluster/reconcile/launch.ts",
      from: "  try: cluster.launch.try,\n  group:",
      to: "  try: cluster.launch.try + (world.clock.now() % 2),\n  group:",
    },
  ],
  "busy-hosts-not-asked": [
    {
      file: "core/src/cluster/reconcile/due.ts",
      from: "return (await busyHosts(world, cluster, idle, since)) ?? { acts: true, idle };",
      to: "return { acts: true, idle };",
    },
  ],
  "holds-forgotten": [
    { file: "core/src/cluster/reconcile/due.ts", from: "freeFrom({ hold: cluster.hold, keep", to: "freeFrom({ keep" },
  ],
  "hours-forgotten": [
    {
      file: "core/src/cluster/reconcile/due.ts",
      from: "hold: cluster.hold, keep: idle.keep }",
      to: "hold: cluster.hold }",
    },
  ],
  "holds-that-do-not-end": [
    {
      file: "core/src/cluster/idle.ts",
      from: "const unheld = Math.max(at, hold?.until ?? at);",
      to: "const unheld = hold === undefined ? at : Math.max(at + 3_600_000, hold.until);",
    },
    {
      file: "core/src/cluster/reconcile/due.ts",
      from: "if (cluster.hold === undefined || Cluster.isHeld(cluster, world.clock.now()))",
      to: "if (world.clock.now() > 0)",
    },
  ],
  "reads-from-an-index": [
    {
      file: "core/src/job/read.ts",
      from: "  const job = await load(world.table, Job.noun, Keys.job(actor.workspace, id));\n  const info =",
      to:
        '  const pk = Keys.list(actor.workspace, "job", "").pk;\n' +
        '  const { items } = await world.table.query({ pk, prefix: id, limit: 1, index: "list" });\n' +
        '  const seen = items.find(item => item.type === "job");\n' +
        "  const job = seen ? seen.data : await load(world.table, Job.noun, Keys.job(actor.workspace, id));\n" +
        "  const info =",
    },
  ],
  // Of two instances of a function, each with a memory of its own.
  "answers-kept-by-an-instance": [
    {
      file: "core/src/cluster/read.ts",
      from: "export const get = async (world: Part, actor: Actor, reference: string): Promise<Cluster.Info> =>\n  Words",
      to:
        "const kept = new Map();\n" +
        "export const get = async (world: Part, actor: Actor, reference: string): Promise<Cluster.Info> => {\n" +
        "  const now = world.clock.now();\n" +
        "  const of = (now % 2) + reference;\n" +
        '  const isKept = reference.startsWith("clu_") && now - kept.get(of)?.at < 10_000;\n' +
        "  if (!isKept) kept.set(of, { at: now, info: await fresh(world, actor, reference) });\n" +
        "  return kept.get(of).info;\n" +
        "};\n" +
        "const fresh = async (world: Part, actor: Actor, reference: string): Promise<Cluster.Info> =>\n  Words",
    },
  ],
  "begun-runs-shown-as-cancelled": [
    {
      file: "core/src/array/read.ts",
      from: "const begun = index < array.next && (await",
      to: "const begun = index < 0 && (await",
    },
  ],
};

/** Those that seeds alone are not asked for: crash points and grids find them, or it is not known yet what does. */
export const RARE: ReadonlySet<string> = new Set([
  "idle-stop-without-check",
  "placement-without-check",
  "words-of-the-cloud-believed",
  "reports-without-fence",
  "revoked-tries-run-on",
  "calls-in-doubt-forgotten-soon",
  "running-reports-not-settled-again",
  "silent-hosts-get-more-jobs",
]);
