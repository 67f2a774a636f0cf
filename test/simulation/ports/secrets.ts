/** The secrets' store in memory, seen through calls that may fail. */
import type { Secrets, SecretsRef, Values } from "@muster/core/ports/secrets.ts";
import { call, type Process } from "../process.ts";
import type { Sim } from "../sim.ts";

interface Kept {
  readonly ref: SecretsRef;
  readonly values: Values;
  readonly keptAt: number;
}

const nameOf = ({ workspace, owner }: SecretsRef): string => `${workspace} ${owner}`;

export class SecretStore {
  readonly #kept = new Map<string, Kept>();

  get(ref: SecretsRef): Values | undefined {
    return this.#kept.get(nameOf(ref))?.values;
  }

  keep(kept: Kept): void {
    this.#kept.set(nameOf(kept.ref), kept);
  }

  forget(ref: SecretsRef): void {
    this.#kept.delete(nameOf(ref));
  }

  /** One page after the other, in order of names, as they stand when they are asked for. */
  page(before: number, after: string, limit: number): { refs: SecretsRef[]; cursor?: string } {
    const names = [...this.#kept.keys()].filter(name => name > after).sort();
    const page = names.slice(0, limit).map(name => this.#kept.get(name) as Kept);
    const last = names.length > limit ? page.at(-1) : undefined;
    return {
      refs: page.filter(({ keptAt }) => keptAt < before).map(({ ref }) => ref),
      ...(last && { cursor: nameOf(last.ref) }),
    };
  }

  all(): IterableIterator<Kept> {
    return this.#kept.values();
  }
}

const PER_PAGE = 3;

export function secretsPort(sim: Sim, process: Process): Secrets {
  const { secrets } = sim;
  const at = <T>(verb: string, effect: () => T) => call(sim, process, `${process.name} ${verb}`, effect);
  return {
    keep: (ref, values) => at(`keeps ${nameOf(ref)}`, () => secrets.keep({ ref, values, keptAt: sim.now })),
    read: ref => at(`reads ${nameOf(ref)}`, () => secrets.get(ref)),
    forget: ref => at(`forgets ${nameOf(ref)}`, () => secrets.forget(ref)),
    list: ({ before, cursor = "" }) => at("lists secrets", () => secrets.page(before, cursor, PER_PAGE)),
  };
}
