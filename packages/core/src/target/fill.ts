/** A task's resources on a target: what the task says stands, and the target says the rest. */
import type { Choice, Resources } from "../task/resources.ts";
import type { Target } from "./target.ts";

type Machine = Partial<Choice>;
type Key = keyof Choice;

/** What is another cloud's, and means nothing on this one; with the words of task files. */
const PLACES: ReadonlyMap<Key, string> = new Map([
  ["region", "region"],
  ["zone", "zone"],
  ["instanceType", "instance_type"],
  ["image", "image_id"],
  ["images", "image_id"],
  ["reservation", "reservation"],
  ["subnet", "subnet"],
  ["securityGroups", "security groups"],
]);

/** What is said together: whoever says one of these says the others as well, by silence. */
const TOGETHER: readonly (readonly Key[])[] = [
  ["region", "zone"],
  ["image", "images"],
  ["spot", "spotFallback"],
];
/** A type of machine says what it has. */
const SHAPE: readonly Key[] = ["accelerators", "cpus", "memory"];

const has = (machine: Machine, key: Key): boolean => machine[key] !== undefined;

const isHidden = (key: Key, own: Machine): boolean =>
  has(own, key) ||
  TOGETHER.some(keys => keys.includes(key) && keys.some(other => has(own, other))) ||
  (key === "instanceType" && SHAPE.some(other => has(own, other))) ||
  (SHAPE.includes(key) && has(own, "instanceType"));

/** What of the target's options is left open by what the task says. */
const open = (target: Machine, own: Machine): Machine =>
  Object.fromEntries(Object.entries(target).filter(([key]) => !isHidden(key as Key, own)));

/** One of several choices with what it and what is said beside all of them leave open. */
const filled = (target: Target, own: Choice, shared: Machine): Choice => ({
  ...open(target.resources, { ...shared, ...own }),
  ...own,
});

/** Without what is another cloud's; that is put on the list. An image of a container is the same everywhere. */
function abroad<M extends Machine>(machine: M, dropped: Set<string>): M {
  const kept = { ...machine };
  for (const [key, word] of PLACES) {
    const value = machine[key];
    if (value === undefined || (key === "image" && String(value).startsWith("docker:"))) continue;
    delete kept[key];
    dropped.add(typeof value === "string" ? `${word} ${value}` : word);
  }
  return kept;
}

/** A target that takes a request's place. */
export interface Taking {
  readonly target: Target;
  /** The cloud that the request names. */
  readonly cloud: string | undefined;
  /** The target was named on purpose: then it stands over every cloud, else over the one of its name. */
  readonly isChosen: boolean;
  /** Gets what the request says of another cloud, and which has no meaning here. */
  readonly dropped: Set<string>;
}

export function onto({ target, cloud, isChosen, dropped }: Taking, resources: Resources): Resources {
  const { anyOf, ordered, ...machine } = resources;
  const isForeign = (machine.provider ?? cloud ?? target.provider) !== target.provider;
  const own = isForeign ? abroad(machine, dropped) : machine;
  const choose = (choice: Choice): Choice => {
    const { provider, ...rest } = choice;
    const isOther = provider !== undefined && provider !== target.provider;
    if (isOther && !isChosen && !isNamed(target, provider)) return choice;
    return filled(target, isOther || (provider === undefined && isForeign) ? abroad(rest, dropped) : rest, own);
  };
  // What one choice leaves open another may say: each of several is filled in by itself.
  const isAlone = anyOf === undefined && ordered === undefined;
  return {
    ...(isAlone ? open(target.resources, own) : {}),
    ...own,
    provider: target.provider,
    ...(anyOf && { anyOf: anyOf.map(choose) }),
    ...(ordered && { ordered: ordered.map(choose) }),
  };
}

/** One of several choices, where that one alone names a cloud that the target stands in for. */
export const choiceOnto = (target: Target, choice: Choice, shared: Machine, dropped: Set<string>): Choice => ({
  ...filled(target, abroad(choice, dropped), shared),
  provider: target.provider,
});

/** Whether the target bears this cloud's name. */
export const isNamed = (target: Pick<Target, "name">, cloud: string): boolean =>
  target.name.toLowerCase() === cloud.toLowerCase();
