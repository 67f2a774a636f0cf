/** Sizes, counts and times as people write them. */
import { type Place, type Reading, refuse, written } from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

/** A number that may be a lower bound. */
export interface AtLeast {
  readonly amount: number;
  readonly atLeast: boolean;
}

const COUNT = /^(\d+(?:\.\d*)?|\.\d+)(\+?)$/;
const SIZE = /^(\d+(?:\.\d*)?|\.\d+)\s*(?:([kmgtp])i?b?)?(\+?)$/i;
const DOLLARS = /^\$?(\d+(?:\.\d*)?|\.\d+)$/;
const GIB: Readonly<Record<string, number>> = { k: 1 / 1024 ** 2, m: 1 / 1024, g: 1, t: 1024, p: 1024 ** 2 };
const SHARE = /^(\d+(?:\.\d*)?|\.\d+)\s*(%?)$/;
const TIME = /(\d+(?:\.\d+)?)\s*([smhdw])/g;
const TIMES = /^(?:\d+(?:\.\d+)?\s*[smhdw]\s*)+$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const positive = (amount: number): boolean => amount > 0 && Number.isFinite(amount);

/** A count such as 4, 0.5 or "4+". */
export function count(reading: Reading, node: Node, at: Place): AtLeast | undefined {
  const wanted = 'a count such as 4 or "4+"';
  const match = COUNT.exec(written(reading, node, at, wanted) ?? "");
  if (match === null) return unless(reading, node, at, wanted);
  const amount = Number(match[1]);
  return positive(amount) ? { amount, atLeast: match[2] === "+" } : refuse(reading, at, "must be more than 0");
}

/** GiB: 16, "16+", "16GB", "512MB+". */
export function size(reading: Reading, node: Node, at: Place): AtLeast | undefined {
  const wanted = 'a size such as 16, "16GB" or "16+"';
  const match = SIZE.exec(written(reading, node, at, wanted) ?? "");
  if (match === null) return unless(reading, node, at, wanted);
  const amount = Number(match[1]) * (GIB[match[2]?.toLowerCase() ?? "g"] ?? 1);
  return positive(amount) ? { amount, atLeast: match[3] === "+" } : refuse(reading, at, "must be more than 0");
}

/** US dollars: 2.5, "2.50" or "$2.50". How many they may be is core's to say. */
export function dollars(reading: Reading, node: Node, at: Place): number | undefined {
  const wanted = "an amount of US dollars such as 2.50";
  const match = DOLLARS.exec(written(reading, node, at, wanted) ?? "");
  return match === null ? unless(reading, node, at, wanted) : Number(match[1]);
}

/** A share of a whole: `5%`, or 0.05. More than nothing, and 1 at most. */
export function share(reading: Reading, node: Node, at: Place): number | undefined {
  const wanted = "a share such as 5% or 0.05";
  const text = written(reading, node, at, wanted) ?? "";
  const amount = amountOf(text);
  if (amount === undefined) return unless(reading, node, at, wanted);
  if (isShare(amount)) return amount;
  const isPercent = !text.endsWith("%") && amount > 1 && amount <= 100;
  return refuse(reading, at, "must be more than 0 and 100% at most", isPercent ? `write ${text}%` : undefined);
}

/** The share that such a text says; undefined when it says none. */
export function shareOf(text: string): number | undefined {
  const amount = amountOf(text.trim());
  return amount !== undefined && isShare(amount) ? amount : undefined;
}

function amountOf(text: string): number | undefined {
  const match = SHARE.exec(text);
  return match === null ? undefined : Number(match[1]) / (match[2] === "%" ? 100 : 1);
}

const isShare = (amount: number): boolean => amount > 0 && amount <= 1;

/** A time in seconds: "90s", "2h", "1h30m", or a number of `unit`s (in seconds). */
export function duration(reading: Reading, node: Node, at: Place, unit: number): number | undefined {
  const wanted = 'a time such as "90s", "2h" or "1h30m"';
  if (node.kind === "scalar" && typeof node.value === "number") return seconds(reading, node.value * unit, at);
  const text = (written(reading, node, at, wanted) ?? "").toLowerCase();
  if (/^\d+$/.test(text)) return seconds(reading, Number(text) * unit, at);
  if (!TIMES.test(text)) return unless(reading, node, at, wanted);
  const parts = [...text.matchAll(TIME)].map(part => Number(part[1]) * (SECONDS[part[2] ?? ""] ?? 1));
  return seconds(
    reading,
    parts.reduce((sum, part) => sum + part, 0),
    at,
  );
}

function seconds(reading: Reading, amount: number, at: Place): number | undefined {
  return amount >= 0 && amount < Infinity ? amount : refuse(reading, at, "must be a time, and not a negative one");
}

/** A node of a wrong kind was already complained of by `written`. */
function unless(reading: Reading, node: Node, at: Place, wanted: string): undefined {
  const fits = node.kind === "scalar" && node.value !== null && typeof node.value !== "boolean";
  if (!fits) return undefined;
  return refuse(reading, { path: at.path, line: node.line ?? at.line }, `must be ${wanted}, and is "${node.text}"`);
}
