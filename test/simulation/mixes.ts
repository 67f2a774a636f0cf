/** How often users do what, by mix: each mix is hard on something else. */
export type Verb =
  | "launch"
  | "managed"
  | "up"
  | "submit"
  | "many"
  | "cancel"
  | "down"
  | "stop"
  | "start"
  | "move"
  | "autostop"
  | "follow"
  | "chain"
  | "hold"
  | "release"
  | "schedule"
  | "pool"
  | "take"
  | "resize"
  | "drop"
  | "holdCluster"
  | "freeCluster";

export const mixes = {
  everything: {
    launch: 4,
    managed: 1,
    up: 2,
    submit: 4,
    cancel: 2,
    down: 1,
    stop: 1,
    start: 2,
    move: 2,
    autostop: 1,
    follow: 1,
    chain: 1,
    many: 1,
  },
  launches: { launch: 4, up: 4, down: 3, cancel: 1 },
  jobs: { launch: 2, up: 0.5, submit: 8, cancel: 3, follow: 2 },
  arrays: { launch: 3, up: 1, many: 6, submit: 1, cancel: 3, hold: 0.5, release: 1, down: 0.3 },
  moves: { launch: 1, up: 0.5, submit: 0.5, down: 0.3, stop: 6, start: 1, move: 8 },
  managed: { managed: 6, launch: 1, submit: 2, cancel: 1, down: 0.5 },
  order: { launch: 2, submit: 1, chain: 8, hold: 2, release: 3, schedule: 2, cancel: 1, down: 0.5 },
  growth: { launch: 1, up: 6, submit: 6, cancel: 0.5 },
  pools: { pool: 4, take: 7, resize: 1, drop: 0.2, down: 1, submit: 1, stop: 0.5, start: 0.5, cancel: 0.5 },
  idle: { launch: 3, up: 1, submit: 2, autostop: 4, holdCluster: 4, freeCluster: 1, start: 2, stop: 0.3, down: 0.3 },
  power: { launch: 2, up: 0.5, submit: 2, stop: 6, start: 8, move: 1, autostop: 2 },
} satisfies Record<string, Partial<Record<Verb, number>>>;

export type Mix = keyof typeof mixes;

/** As seeds draw them: what needs a machine that is stopped, and then moves, is rare enough. */
export const DRAWN: readonly Mix[] = [...(Object.keys(mixes) as Mix[]), "moves", "moves", "power", "power"];
