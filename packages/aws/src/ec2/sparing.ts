/** Calls that name several machines: EC2 does nothing for any of them when it refuses one. */
import { Fault } from "../fault.ts";

/** Machines that one call names at most. */
const CHUNK = 500;

/** The machines that a refusal is about, and why. */
export type Spared = ReadonlyMap<string, Fault>;

/**
 * Makes the call for as many of the machines as possible: again without those that a refusal names, and one by one where
 * it names none.
 * @param codes of refusals that are about single machines.
 * @returns those that were refused. @throws Fault any other
 */
export async function sparing(
  ids: readonly string[],
  codes: ReadonlySet<string>,
  call: (ids: string[]) => Promise<unknown>,
): Promise<Spared> {
  const spared = new Map<string, Fault>();
  for (let at = 0; at < ids.length; at += CHUNK)
    for (const [id, fault] of await insist(ids.slice(at, at + CHUNK), codes, call)) spared.set(id, fault);
  return spared;
}

async function insist(
  ids: readonly string[],
  codes: ReadonlySet<string>,
  call: (ids: string[]) => Promise<unknown>,
): Promise<Spared> {
  const fault = await refusal(ids, codes, call);
  if (fault === undefined) return new Map();
  const [only] = ids;
  if (ids.length === 1 && only !== undefined) return new Map([[only, fault]]);
  const named = ids.filter(id => fault.message.includes(id));
  const isTold = named.length > 0 && named.length < ids.length;
  const rest = ids.filter(id => !named.includes(id));
  if (isTold) return new Map([...named.map(id => [id, fault] as const), ...(await insist(rest, codes, call))]);
  const each = new Map<string, Fault>();
  for (const id of ids) for (const pair of await insist([id], codes, call)) each.set(...pair);
  return each;
}

async function refusal(
  ids: readonly string[],
  codes: ReadonlySet<string>,
  call: (ids: string[]) => Promise<unknown>,
): Promise<Fault | undefined> {
  try {
    await call([...ids]);
    return undefined;
  } catch (error) {
    if (error instanceof Fault && codes.has(error.code)) return error;
    throw error;
  }
}
