/**
 * Ran against: every place of every route's requests where an id may stand, as the document says them, with the caller's own
 * id, another tenant's, and nobody's; the real handlers over SQLite in memory, in process. Another tenant's gets the
 * very answer that nobody's gets, and nothing of that tenant is written.
 */
import { describe, expect, test } from "vitest";
import { decided } from "./decisions.ts";
import { type Position, positions, undecided } from "./positions.ts";
import { type Operation, operations } from "./spec.ts";
import {
  askWith,
  ghostOf,
  idsOfNoun,
  isOfTenants,
  openTenants,
  ownIdOf,
  plain,
  type Tenants,
  touched,
} from "./tenancy-support.ts";

test("every route, and every text that a request may hold, was decided: see decisions.ts", () => {
  const ids = operations.map(({ id }) => id);
  expect(decided.toSorted()).toEqual(ids.toSorted());
  expect(undecided).toEqual([]);
});

/** Whose own id is refused too, and why: the place proves less there. */
const REFUSED: Readonly<Record<string, string>> = {
  "jobGroups.create cluster": "a job group makes a cluster of its own",
  "pools.set launch.cluster": "a pool names its clusters itself",
  "pools.set launch.pool": "a pool takes from no pool",
  "pools.set launch.after.0.job": "what is prepared waits for no job",
  "schedules.set launch.after.0.job": "a schedule waits for times",
  "hooks.create hook.rules.0.launch.after.0.job": "a hook waits for events",
  "hooks.set rules.0.launch.after.0.job": "a hook waits for events",
  "hooks.approve hook": "nobody's approval is waited for",
  "hooks.approve delivery": "nobody's approval is waited for",
  "workspaces.get name": "it is not the first workspace that asks",
  "tokens.create workspace": "it is not the first workspace that asks",
  "tokens.list workspace": "it is not the first workspace that asks",
  "agent.checkpoint jobId": "nothing of a checkpoint is there yet",
};

const placesOf = ({ id }: Operation) => positions.filter(position => position.operation.id === id);
const asking = operations.filter(operation => isOfTenants(operation) && placesOf(operation).length > 0);
let asked = 0;

/** A new world after whatever changed the last one. */
function worlds() {
  let tenants: Tenants | undefined;
  return {
    open: async (): Promise<Tenants> => (tenants ??= await openTenants()),
    async send(position: Position, pick: (tenants: Tenants) => string) {
      const open = await this.open();
      const id = pick(open);
      const from = open.stage.world.changes.length;
      const answer = await open.stage.send(position.operation.id, askWith(open, position, id));
      if (open.stage.world.changes.length > from) tenants = undefined;
      expect(touched(open, from)).toEqual([]);
      asked++;
      return { answer, text: plain(answer, id) };
    },
  };
}

describe.each(asking.map(operation => [operation.id, operation] as const))("%s", (id, operation) => {
  test.each(placesOf(operation).map(position => [position.at.join("."), position] as const))(
    "%s",
    async (name, position) => {
      const { noun } = position.refers;
      const all = worlds();
      const theirs = idsOfNoun((await all.open()).other, noun);
      expect(theirs).not.toEqual([]);
      for (const at of theirs.keys()) {
        const pick = ({ other }: Tenants) => idsOfNoun(other, noun)[at] ?? "";
        const nobodys = await all.send(position, tenants => ghostOf(pick(tenants)));
        const other = await all.send(position, pick);
        expect(other.text).toBe(nobodys.text);
      }
      const mine = await all.send(position, ({ own }) => ownIdOf(position, own));
      expect(mine.answer.statusCode < 400 || `${id} ${name}` in REFUSED, mine.answer.body).toBe(true);
    },
  );
});

test("so many were asked", () => {
  // As the table stood when this was written; more places ask more.
  expect(asked).toBeGreaterThanOrEqual(700);
});
