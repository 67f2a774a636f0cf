/** What every Secrets adapter must do. */
import { randomUUID } from "node:crypto";
import type { Secrets, SecretsRef } from "@muster/core/ports/secrets.ts";
import { MOST_BYTES, sizeOf } from "@muster/core/secret/text.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export interface Subject {
  readonly secrets: Secrets;
  readonly close: () => Promise<void> | void;
}

const HOUR = 3_600_000;
const isCode = (code: string) => expect.objectContaining({ code });

/** A ref that no test has used, in the form that workspaces and ids have. */
export const fresh = (workspace = "acme"): SecretsRef => ({
  workspace,
  owner: `job_${randomUUID().replaceAll("-", "").slice(0, 26).toUpperCase()}`,
});

/** Values of exactly so many bytes as they are kept. */
export function ofSize(bytes: number): Record<string, string> {
  const values = { KEY: "x".repeat(bytes - sizeOf({ KEY: "" })) };
  expect(sizeOf(values)).toBe(bytes);
  return values;
}

/** Every page of a listing. */
export async function listed(secrets: Secrets, before: number): Promise<readonly SecretsRef[]> {
  const found: SecretsRef[] = [];
  let cursor: string | undefined;
  do {
    const page = await secrets.list({ before, cursor });
    found.push(...page.refs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

export function secretsContract(name: string, open: () => Promise<Subject>): void {
  describe(`secrets: ${name}`, () => {
    let subject: Subject;
    let secrets: Secrets;
    beforeAll(async () => {
      subject = await open();
      ({ secrets } = subject);
    });
    afterAll(() => subject?.close());

    test("what was kept is read as it was, whatever it says", async () => {
      const text = fc.oneof(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.constantFrom("", "{{ssm:other}}", "{{}}", "{{{", '"', "\\u007b", "a\0b\r\n", "🔑"),
      );
      const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
      const values = fc.dictionary(names, text, { minKeys: 1, maxKeys: 5, noNullPrototype: true });
      await fc.assert(
        fc.asyncProperty(values, async given => {
          const ref = fresh();
          await secrets.keep(ref, given);
          expect(await secrets.read(ref)).toEqual(given);
          await secrets.forget(ref);
        }),
        { numRuns: 30 },
      );
    });

    test("none are read where none are kept", async () => {
      const ref = fresh();
      expect(await secrets.read(ref)).toBeUndefined();
      await secrets.keep(ref, { A: "1" });
      expect(await secrets.read({ ...ref, workspace: "other" })).toBeUndefined();
      expect(await secrets.read(fresh())).toBeUndefined();
    });

    test("what is kept again takes the place of what was there", async () => {
      const ref = fresh();
      await secrets.keep(ref, { A: "1", B: "2" });
      await secrets.keep(ref, { A: "1", B: "2" });
      await secrets.keep(ref, { A: "3" });
      expect(await secrets.read(ref)).toEqual({ A: "3" });
      await secrets.keep(ref, ofSize(MOST_BYTES));
      await secrets.keep(ref, { A: "4" });
      expect(await secrets.read(ref)).toEqual({ A: "4" });
    });

    test("keeping the same at the same time leaves it whole", async () => {
      const ref = fresh();
      await Promise.all(Array.from({ length: 5 }, () => secrets.keep(ref, { A: "1".repeat(3000) })));
      expect(await secrets.read(ref)).toEqual({ A: "1".repeat(3000) });
    });

    test("what is forgotten is gone, once and for all, and forgetting it again is success", async () => {
      const [ref, other] = [fresh(), fresh()];
      await secrets.keep(ref, { A: "1" });
      await secrets.keep(other, { A: "2" });
      await secrets.forget(ref);
      await secrets.forget(ref);
      await secrets.forget(fresh("nobody"));
      expect(await secrets.read(ref)).toBeUndefined();
      expect(await secrets.read(other)).toEqual({ A: "2" });
      await secrets.keep(ref, { A: "3" });
      expect(await secrets.read(ref)).toEqual({ A: "3" });
    });

    test("as much as fits is kept; more is refused with its size and the limit, and what was there stays", async () => {
      const ref = fresh();
      const most = ofSize(MOST_BYTES);
      await secrets.keep(ref, most);
      expect(await secrets.read(ref)).toEqual(most);
      const refused = secrets.keep(ref, ofSize(MOST_BYTES + 1));
      await expect(refused).rejects.toEqual(isCode("invalid_request"));
      await expect(refused).rejects.toThrow(/8193 bytes.*8192/);
      // Bytes, not characters: each of these has three.
      await expect(secrets.keep(ref, { KEY: "€".repeat(3000) })).rejects.toEqual(isCode("invalid_request"));
      expect(await secrets.read(ref)).toEqual(most);
    });

    test("names that lead elsewhere have no place", async () => {
      for (const ref of [
        { workspace: "..", owner: "../key" },
        { workspace: "acme", owner: "a/b" },
        { workspace: "", owner: "job_1" },
      ])
        for (const verb of [secrets.keep(ref, { A: "1" }), secrets.read(ref), secrets.forget(ref)])
          await expect(verb).rejects.toEqual(isCode("internal"));
    });

    test("whose secrets are older than a moment is listed, page by page, without their values", async () => {
      const kept = Array.from({ length: 60 }, (_, index) => fresh(index % 2 === 0 ? "acme" : "b-2.c_3"));
      for (const ref of kept) await secrets.keep(ref, { A: "a value that is not listed" });
      const [gone, ...rest] = kept;
      await secrets.forget(gone!);
      const found = await listed(secrets, Date.now() + HOUR);
      expect(found).toEqual(expect.arrayContaining(rest));
      expect(found).not.toContainEqual(gone);
      expect(new Set(found.map(ref => `${ref.workspace} ${ref.owner}`)).size).toBe(found.length);
      expect(JSON.stringify(found)).not.toContain("a value");
      expect(await listed(secrets, Date.now() - HOUR)).toEqual([]);
    });
  });
}
