/** Accelerators by the names that people write: SkyPilot's spellings, and what else they are called. */

interface Accelerator {
  readonly name: string;
  /** Other names, in any case and with any signs between the words. */
  readonly also: readonly string[];
}

const KNOWN: readonly Accelerator[] = [
  { name: "A100", also: ["A100-40GB", "A100-40G", "A100-SXM4-40GB"] },
  { name: "A100-80GB", also: ["A100-80G", "A100-SXM4-80GB", "A100-80GB-SXM"] },
  { name: "A10G", also: ["A10G-24GB"] },
  { name: "AI100", also: ["Qualcomm AI100"] },
  { name: "B200", also: ["B200-SXM", "B200-180GB", "B200-192GB"] },
  { name: "B300", also: ["B300-SXM", "B300-288GB"] },
  { name: "Gaudi", also: ["Gaudi HL-205", "HL-205", "Gaudi1"] },
  { name: "H100", also: ["H100-80GB", "H100-SXM", "H100-SXM5", "H100-80GB-HBM3"] },
  { name: "H200", also: ["H200-SXM", "H200-141GB"] },
  { name: "Inferentia", also: ["Inferentia1", "inf1"] },
  { name: "Inferentia2", also: ["inf2"] },
  { name: "L4", also: ["L4-24GB"] },
  { name: "L40S", also: ["L40S-48GB"] },
  {
    name: "RTXPRO6000",
    also: ["RTX PRO Server 6000", "RTX PRO 6000 Server", "RTX 6000 PRO", "RTX PRO 6000 Blackwell"],
  },
  { name: "RadeonProV520", also: ["V520"] },
  { name: "T4", also: ["T4-16GB"] },
  { name: "T4g", also: ["T4G-16GB"] },
  { name: "Trainium", also: ["Trainium1", "trn1"] },
  { name: "Trainium2", also: ["trn2"] },
  { name: "Trainium3", also: ["trn3"] },
  { name: "U30", also: [] },
  { name: "V100", also: ["V100-16GB", "V100-SXM2"] },
  { name: "V100-32GB", also: ["V100-SXM2-32GB", "V100-32G"] },
  { name: "VU47P", also: ["Virtex UltraScale+ (VU47P)"] },
];

const MAKERS = /^(nvidia|tesla|aws|amd|habana|xilinx)(?=[^a-z0-9]*[a-z0-9])/;

/** `NVIDIA A100-80GB`, `a100_80gb` and `A100 80GB` are the same. */
function key(name: string): string {
  const plain = name.toLowerCase().trim().replace(MAKERS, "").trim().replace(MAKERS, "");
  return plain.replace(/[^a-z0-9]/g, "");
}

const BY_KEY: ReadonlyMap<string, string> = new Map(
  KNOWN.flatMap(({ name, also }) => [name, ...also].map(word => [key(word), name] as const)),
);

/** What other clouds have, as SkyPilot spells it: none of these was meant as one of AWS's. */
const ELSEWHERE: ReadonlySet<string> = new Set(
  ["A10", "A40", "A4000", "A5000", "A6000", "GH200", "K80", "L40", "M60", "MI300X", "P100", "P4", "RTX6000"].map(key),
);

/** The canonical name of what someone wrote; the word itself when no such accelerator is known. */
export const canonical = (word: string): string => BY_KEY.get(key(word)) ?? word;

/** Whether there is an accelerator of this name, on AWS or elsewhere. */
export const isAccelerator = (word: string): boolean => BY_KEY.has(key(word)) || ELSEWHERE.has(key(word));

/** Of models that come with different memories EC2 gives one name; MiB from which the larger one begins. */
const LARGER: Readonly<Record<string, { readonly from: number; readonly name: string }>> = {
  A100: { from: 60_000, name: "A100-80GB" },
  V100: { from: 24_000, name: "V100-32GB" },
};

/** The canonical name of what EC2 calls `name`, with `mib` of memory on each. */
export function ofEc2(name: string, mib: number): string {
  const known = BY_KEY.get(key(name));
  if (known === undefined) return name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^-|-$/g, "");
  const larger = LARGER[known];
  return larger !== undefined && mib >= larger.from ? larger.name : known;
}
