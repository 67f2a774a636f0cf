/** Bugs that control planes have had, each planted in the real code; the simulation must find every one of them. */
import { more } from "./more.ts";
import type { Bug } from "./plant.ts";

export const bugs: Readonly<Record<string, Bug>> = {
  "claim-not-kept": [
    {
      file: "core/src/commit.ts",
      from: 'await world.table.write([...writes, { put, expect: "absent" }]);',
      to: "await (writes.length === 0 ? undefined : world.table.write(writes));",
    },
  ],
  "intent-after-the-call": [
    {
      file: "core/src/cluster/reconcile/launch.ts",
      from: "  await world.table.write([write]);\n  // Whoever stood still",
      to: "  // Whoever stood still",
    },
    {
      file: "core/src/cluster/reconcile/launch.ts",
      from: "    await nameMachines(world, cluster, machines);\n",
      to: "    await world.table.write([write]);\n    await nameMachines(world, cluster, machines);\n",
    },
  ],
  "first-choice-asked-for": [
    {
      file: "core/src/cluster/reconcile/launch.ts",
      from: "Cluster.atGroup(cluster.launch)), cluster.launch.offer);",
      to: "Cluster.atGroup(cluster.launch)), {});",
    },
  ],
  "refusal-settles-other-calls": [
    {
      file: "core/src/cluster/reconcile/refuse.ts",
      from: "const doubtUntil = launch.doubtUntil ?? 0;",
      to: "const doubtUntil = 0;",
    },
  ],
  "empty-observation-trusted": [
    {
      file: "core/src/cluster/reconcile/drain.ts",
      from: "if (now < certain) return later(",
      to: "if (now < 0) return later(",
    },
  ],
  "earlier-groups-trusted-to-show": [
    {
      file: "core/src/cluster/reconcile/launch.ts",
      from: "launch?.madeAt === undefined ? 0 : launch.madeAt + settle;",
      to: "0;",
    },
  ],
  "earlier-groups-not-owned": [
    {
      file: "core/src/cluster/machines.ts",
      from: "[...(launch.made ?? []), launch].map(call => call.try);",
      to: "[launch.try];",
    },
  ],
  "draining-gives-up": [
    {
      file: "core/src/cluster/reconcile/drain.ts",
      from: "if ((await endMachines(world, cluster)) > 0) return",
      to: "if ((await endMachines(world, cluster)) > 0 && now < cluster.drainingSince + 60_000) return",
    },
  ],
  "secrets-after-the-job": [
    {
      file: "core/src/job/submit.ts",
      from: "      await keep();\n      const way",
      to: "      const way",
    },
    {
      file: "core/src/job/submit.ts",
      from: "[...writes, ...way], info);\n",
      to: "[...writes, ...way], info);\n      await keep();\n",
    },
  ],
  "secrets-swept-at-once": [
    { file: "core/src/secret/sweep.ts", from: "world.clock.now() - LEFT_AFTER", to: "world.clock.now()" },
  ],
  "secrets-not-swept": [
    { file: "core/src/secret/sweep.ts", from: "if (await isForgotten(world, ref, isNeeded)) count++;", to: "count++;" },
  ],
  "budget-not-given-back": [
    {
      file: "core/src/cluster/reconcile/stay.ts",
      from: "{ ...why, takes: undefined, dueAt",
      to: "{ ...why, dueAt",
    },
  ],
  "name-freed-later": [
    {
      file: "core/src/cluster/reconcile/drain.ts",
      from: "await world.table.write([...move.writes, ...unlock, ...given]);",
      to: "await world.table.write([...move.writes, ...given]);\n  if (unlock.length > 0) await world.table.write(unlock);",
    },
  ],
  "completion-as-two-writes": [
    {
      file: "core/src/job/settle.ts",
      from: "await world.table.write(writes);",
      to: "await world.table.write(writes.slice(0, 2));\n  if (writes.length > 2) await world.table.write(writes.slice(2));",
    },
  ],
  "placement-without-check": [
    {
      file: "core/src/job/schedule.ts",
      from: "...job.writes, ready]",
      to: "...job.writes, ...[ready].slice(1)]",
    },
  ],
  "state-without-event": [
    {
      file: "core/src/host/enroll.ts",
      from: "await world.table.write(move.writes);",
      to: "await world.table.write(move.writes.slice(0, 1));",
    },
  ],
  "host-ignores-fence": [
    { file: "simulation/host/agent.ts", from: "box.disk.fences.get(jobId) ?? -1", to: "-1" },
    { file: "core/src/agent/poll.ts", from: "if (await hasEnded(world, host, job))", to: "if (false)" },
  ],
  "stop-trusts-what-shows": [
    {
      file: "core/src/cluster/reconcile/power.ts",
      from: "const isWhole = machines.length >= cluster.nodes;",
      to: "const isWhole = true;",
    },
  ],
  "orphans-not-swept": [
    { file: "core/src/sweep/machines.ts", from: "await provider.stop({", to: "await undefined;\n  void ({" },
    { file: "core/src/sweep/machines.ts", from: "await provider.terminate(ids);", to: "" },
  ],
  "moved-before-all-is-copied": [
    {
      file: "core/src/cluster/reconcile/move.ts",
      from: 'hosts.every(host => states.get(host) === "complete")',
      to: 'hosts.some(host => states.get(host) === "complete")',
    },
  ],
  "copies-counted-before-they-are-whole": [
    {
      file: "core/src/cluster/reconcile/move.ts",
      from: 'states.get(host) === "complete"',
      to: "states.has(host)",
    },
  ],
  "failed-move-ends-the-cluster": [
    { file: "core/src/cluster/reconcile/fail.ts", from: "isKept(cluster)\n    ?", to: "false as boolean\n    ?" },
  ],
  "growth-ends-what-works": [{ file: "core/src/cluster/reconcile/grow.ts", from: " && !kept.has(made),", to: "," }],
  "growth-forgets-running-jobs": [
    { file: "core/src/cluster/register.ts", from: "runs: runs.get(slot.rank) ?? []", to: "runs: []" },
  ],
  "failed-growth-fails-the-cluster": [
    {
      file: "core/src/cluster/reconcile/fail.ts",
      from: "return cluster.before !== undefined || cluster.snapshotOf !== undefined;",
      to: "return cluster.snapshotOf !== undefined;",
    },
  ],
  "jobs-too-wide-wait-for-ever": [
    {
      file: "core/src/job/place.ts",
      from: 'else if (decision === "impossible" && !grows) impossible.push(entry);',
      to: 'else if (decision === "impossible" && !grows) break;',
    },
  ],
  "gpus-given-twice": [
    {
      file: "core/src/cluster/room.ts",
      from: "room.gpus.filter(index => !gpus.includes(index))",
      to: "room.gpus",
    },
  ],
  "whole-hosts-shared": [
    {
      file: "core/src/cluster/room.ts",
      from: "if (need === undefined) return room.empty;",
      to: "if (need === undefined) return true;",
    },
  ],
  "most-jobs-per-host-ignored": [
    {
      file: "core/src/cluster/room.ts",
      from: "jobs: Math.min(most, MOST_PER_HOST),",
      to: "jobs: Math.max(most, MOST_PER_HOST),",
    },
  ],
  "one-end-frees-all-of-a-host": [
    {
      file: "core/src/cluster/slots.ts",
      from: "runs: slot.runs.filter(run => run.jobId !== jobId)",
      to: "runs: slot.runs.filter(run => run.jobId === undefined && jobId)",
    },
  ],
  "copies-not-swept": [
    {
      file: "core/src/sweep/rest.ts",
      from: " await provider.deleteSnapshots?.(ref);",
      to: " void ref;",
    },
  ],
  "tries-not-counted": [
    { file: "core/src/job/retry.ts", from: "|| attempts > retry.max)", to: "|| attempts > retry.max + 1)" },
  ],
  "cancelled-jobs-tried-again": [
    {
      file: "core/src/job/recover.ts",
      from: 'verdict === undefined || job.state === "cancelling" ?',
      to: "verdict === undefined ?",
    },
  ],
  "hosts-kept-between-tries": [
    { file: "core/src/job/recover.ts", from: "...(await release(world, job, now)), ...looked", to: "...looked" },
  ],
  "new-machines-taken-for-the-old-ones": [
    {
      file: "core/src/cluster/reconcile/renew.ts",
      from: "generation: cluster.generation + 1,",
      to: "generation: cluster.generation,",
    },
  ],
  "renewed-machines-ended-with-the-old-ones": [
    {
      file: "core/src/cluster/reconcile/drain.ts",
      from: "filter(machine => machine.generation <= generation)",
      to: "filter(machine => machine.generation <= generation || true)",
    },
  ],
  "released-jobs-wait-on": [
    {
      file: "core/src/job/waiting.ts",
      from: "const place = await unpark(world.table, job);",
      to: "const place = [];",
    },
  ],
  "ends-unseen-by-those-that-wait": [
    {
      file: "core/src/doorbell.ts",
      from: "  await wake(world, { workspace, jobId });\n",
      to: "",
    },
    {
      file: "core/src/job/reconcile/reconcile.ts",
      from: "if (Job.isWaiting(job)) return look(world, ref);",
      to: "if (Job.isWaiting(job)) return;",
    },
  ],
  "schedules-launch-twice": [
    {
      file: "core/src/schedule/fire.ts",
      from: "if (schedule?.version !== before.version) throw new Moved();",
      to: "if (schedule === undefined) throw new Moved();",
    },
  ],
  "taken-and-kept": [
    {
      file: "core/src/pool/take.ts",
      from: "writes: [...writes, { remove: noun.key(member), expect: member.version }, event],",
      to: "writes: [...writes, event],",
    },
  ],
  "one-member-too-many": [
    {
      file: "core/src/pool/make.ts",
      from: "return [write, insert(noun, member), event];",
      to: "return [...[write].slice(1), insert(noun, member), event];",
    },
  ],
  "members-forgotten": [
    {
      file: "core/src/pool/tend.ts",
      from: "    ...writes,\n    { remove: noun.key(member), expect: member.version },\n    { check:",
      to: "    ...writes.slice(2),\n    { remove: noun.key(member), expect: member.version },\n    { check:",
    },
  ],
  "log-not-sent-again": [
    {
      file: "simulation/host/attempt.ts",
      from: "requireHeld(agent, driven);\n    await nap(agent, driven, sim.rng.between(SECOND, 20 * SECOND));\n  }\n}\n\nfunction tell",
      to: "requireHeld(agent, driven);\n    held.sent++;\n  }\n}\n\nfunction tell",
    },
  ],
  ...more,
};

/** How many seeds each of them may take at most; measured, with room. */
export const FOUND_WITHIN = 1_000;
