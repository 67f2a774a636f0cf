/**
 * The contract of the Table port. Every adapter passes this suite as it stands; `table-*.test.ts` say which did.
 *
 * The suite has its own clock and gives it to the adapter. It never waits: where an index may lag it moves the clock and
 * calls the adapter's `settle`. It uses partitions of its own, so it can run on a table that holds other things.
 */
import { afterAll, beforeAll, describe } from "vitest";
import { modelContract } from "./table-model.ts";
import { pagingContract } from "./table-paging.ts";
import { readContract } from "./table-reads.ts";
import { type Bench, bench, type Open } from "./table-subject.ts";
import { writeContract } from "./table-writes.ts";

/** @param options `runs`: of the comparison with the model, 30 operations each; fewer where a call takes long. */
export function tableContract(name: string, open: Open, options: { readonly runs?: number } = {}): void {
  describe(`Table: ${name}`, () => {
    let current: Bench | undefined;
    beforeAll(async () => {
      current = await bench(open);
    });
    afterAll(() => current?.close());
    const get = (): Bench => {
      if (current === undefined) throw new Error("the adapter is not open");
      return current;
    };
    describe("writes", () => writeContract(get));
    describe("reads", () => readContract(get));
    describe("pages", () => pagingContract(get));
    describe("model", () => modelContract(get, options.runs ?? 300));
  });
}
