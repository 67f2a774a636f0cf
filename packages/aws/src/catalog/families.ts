/**
 * EC2's quotas on vCPUs: which one holds for a machine type, on each market. Codes and names as EC2's page of instance
 * quotas lists them (docs.aws.amazon.com, ec2/latest/instancetypes/ec2-instance-quotas.html).
 */

export interface Quota {
  readonly code: string;
  readonly name: string;
}

interface Family {
  /** What the names of its types begin with, up to the first digit. */
  readonly letters: readonly string[];
  readonly onDemand: Quota;
  /** Absent: not sold there, or nobody says which one it is. */
  readonly spot?: Quota;
}

const running = (code: string, what: string): Quota => ({ code, name: `Running On-Demand ${what} instances` });
const requests = (code: string, what: string): Quota => ({ code, name: `All ${what} Spot Instance Requests` });

const STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)";
const P5_SPOT = requests("L-C4BD4855", "P5");
const P_SPOT = requests("L-7212CCBC", "P4, P3 and P2");

const FAMILIES: readonly Family[] = [
  {
    letters: ["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"],
    onDemand: running("L-1216C47A", STANDARD),
    spot: requests("L-34B43A08", STANDARD),
  },
  {
    letters: ["g", "gr", "vt"],
    onDemand: running("L-DB2E81BA", "G and VT"),
    spot: requests("L-3819A6DF", "G and VT"),
  },
  { letters: ["p"], onDemand: running("L-417A185B", "P") },
  { letters: ["dl"], onDemand: running("L-6E869C2A", "DL"), spot: requests("L-85EED4F7", "DL") },
  { letters: ["inf"], onDemand: running("L-1945791B", "Inf"), spot: requests("L-B5D1601B", "Inf") },
  { letters: ["trn"], onDemand: running("L-2C3B7624", "Trn"), spot: requests("L-6B0D517C", "Trn") },
  { letters: ["x"], onDemand: running("L-7295265B", "X"), spot: requests("L-E3A00192", "X") },
  { letters: ["f"], onDemand: running("L-74FC7D96", "F"), spot: requests("L-88CF9481", "F") },
  { letters: ["u"], onDemand: running("L-43DA4232", "High Memory") },
  { letters: ["hpc"], onDemand: running("L-F7808C92", "HPC") },
];

const BY_LETTERS: ReadonlyMap<string, Family> = new Map(
  FAMILIES.flatMap(family => family.letters.map(letters => [letters, family] as const)),
);

/** Every quota of the table. */
export const QUOTAS: readonly Quota[] = [
  ...FAMILIES.flatMap(({ onDemand, spot }) => [onDemand, ...(spot === undefined ? [] : [spot])]),
  P_SPOT,
  P5_SPOT,
];

export interface NameParts {
  readonly letters: string;
  readonly generation: number;
}

/** A thousand names, asked thousands of times for each request. */
const taken = new Map<string, NameParts>();

/** Letters and generation of a type: `p` and 5 of `p5en.48xlarge`. Types that name none, such as `u-6tb1.metal`, are 0. */
export function nameParts(type: string): NameParts {
  const known = taken.get(type);
  if (known !== undefined) return known;
  const [, letters = "", digits] = /^([a-z]+)(\d*)/.exec(type) ?? [];
  const parts = { letters, generation: Number(digits) || 0 };
  taken.set(type, parts);
  return parts;
}

/** The quota that machines of this type count against; undefined where none is known. */
export function quotaOf(type: string, market: "on_demand" | "spot"): Quota | undefined {
  const { letters, generation } = nameParts(type);
  const family = BY_LETTERS.get(letters);
  if (market === "on_demand") return family?.onDemand;
  return letters === "p" ? spotOfP(generation) : family?.spot;
}

/** Of what came after P5 no page says which spot quota holds. */
function spotOfP(generation: number): Quota | undefined {
  if (generation <= 4) return P_SPOT;
  return generation === 5 ? P5_SPOT : undefined;
}

/** Where to ask AWS for more of a quota. */
export const linkTo = (quota: Quota, region: string): string =>
  `https://${region}.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/${quota.code}`;
