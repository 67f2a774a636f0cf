/** Lifecycles: a table `state × event → state` per noun, and the laws that every such table keeps. */

export type Moves<S extends string, E extends string> = { readonly [state in S]: { readonly [event in E]?: S } };

export interface Lifecycle<S extends string, E extends string> {
  readonly noun: string;
  readonly initial: S;
  readonly moves: Moves<S, E>;
  readonly states: readonly S[];
  /** Where the event leads from there; undefined when the state does not take it. */
  next(state: S, event: E): S | undefined;
  isTerminal(state: S): boolean;
}

/** Inferred from the table: events are whatever keys its rows have, and every target must be a row. */
export function lifecycle<const T extends { readonly [state: string]: { readonly [event: string]: keyof T & string } }>(
  noun: string,
  initial: keyof T & string,
  moves: T,
): Lifecycle<keyof T & string, EventOf<T>> {
  type S = keyof T & string;
  const states = Object.keys(moves) as S[];
  const rows = new Map(states.map(state => [state, new Map(Object.entries(moves[state] as Record<string, S>))]));
  return {
    noun,
    initial,
    moves: moves as unknown as Moves<S, EventOf<T>>,
    states,
    next: (state, event) => rows.get(state)?.get(event),
    isTerminal: state => rows.get(state)?.size === 0,
  };
}

type EventOf<T> = { [state in keyof T]: keyof T[state] & string }[keyof T];

export type StateOf<L> = L extends Lifecycle<infer S, string> ? S : never;
export type MoveOf<L> = L extends Lifecycle<string, infer E> ? E : never;

/** What is wrong with a table, as sentences; none when it keeps the laws. */
export function violations(life: Lifecycle<string, string>): string[] {
  const reachable = closure(life, life.initial);
  return life.states.flatMap(state => [
    ...(reachable.has(state) ? [] : [`${life.noun}: ${state} cannot be reached from ${life.initial}`]),
    ...([...closure(life, state)].some(end => life.isTerminal(end)) ? [] : [`${life.noun}: ${state} never ends`]),
  ]);
}

function closure(life: Lifecycle<string, string>, start: string): Set<string> {
  const seen = new Set([start]);
  for (const state of seen) for (const target of Object.values(life.moves[state] ?? {})) if (target) seen.add(target);
  return seen;
}

/** The table as a Mermaid state diagram. */
export function diagram(life: Lifecycle<string, string>): string {
  const lines = life.states.flatMap(state => [
    ...Object.entries(life.moves[state] ?? {}).map(([event, target]) => `  ${state} --> ${target}: ${event}`),
    ...(life.isTerminal(state) ? [`  ${state} --> [*]`] : []),
  ]);
  return ["stateDiagram-v2", `  [*] --> ${life.initial}`, ...lines].join("\n");
}
