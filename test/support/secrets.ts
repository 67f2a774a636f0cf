/** Secrets in memory, with dials, for tests that look at what core asks of them. */
import type { Secrets, SecretsRef, Values } from "@muster/core/ports/secrets.ts";

export interface MemorySecrets extends Secrets {
  /** By `<workspace> <owner>`. */
  readonly held: Map<string, { readonly values: Values; readonly keptAt: number }>;
  /** Verbs in the order in which they were called. */
  readonly calls: string[];
  /** Thrown by the next call of a verb, before it has any effect. */
  readonly failing: Map<string, Error>;
}

export function memorySecrets(now: () => number): MemorySecrets {
  const held: MemorySecrets["held"] = new Map();
  const calls: string[] = [];
  const failing = new Map<string, Error>();
  const called = (verb: string): void => {
    calls.push(verb);
    const error = failing.get(verb);
    failing.delete(verb);
    if (error) throw error;
  };
  const nameOf = ({ workspace, owner }: SecretsRef): string => `${workspace} ${owner}`;
  return {
    held,
    calls,
    failing,
    keep: async (ref, values) => {
      called("keep");
      held.set(nameOf(ref), { values, keptAt: now() });
    },
    read: async ref => {
      called("read");
      return held.get(nameOf(ref))?.values;
    },
    forget: async ref => {
      called("forget");
      held.delete(nameOf(ref));
    },
    list: async ({ before }) => {
      called("list");
      const old = [...held].filter(([, { keptAt }]) => keptAt < before);
      return {
        refs: old.map(([name]) => {
          const [workspace = "", owner = ""] = name.split(" ");
          return { workspace, owner };
        }),
      };
    },
  };
}
