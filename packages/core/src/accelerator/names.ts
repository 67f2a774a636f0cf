/**
 * Accelerators by the names that people write: SkyPilot's spellings, and what else they are called, such as by NVIDIA's
 * driver. Whoever matches what was asked for with what is there goes by these names.
 */

interface Accelerator {
  readonly name: string;
  /** Other names, in any case and with any signs between the words. */
  readonly also: readonly string[];
}

const KNOWN: readonly Accelerator[] = [
  { name: "A100", also: ["A100-40GB", "A100-40G", "A100-SXM4-40GB", "A100-PCIE-40GB"] },
  { name: "A100-80GB", also: ["A100-80G", "A100-SXM4-80GB", "A100-80GB-SXM", "A100-80GB-PCIe"] },
  { name: "A10G", also: ["A10G-24GB"] },
  { name: "AI100", also: ["Qualcomm AI100"] },
  { name: "B200", also: ["B200-SXM", "B200-180GB", "B200-192GB"] },
  { name: "B300", also: ["B300-SXM", "B300-288GB"] },
  { name: "Gaudi", also: ["Gaudi HL-205", "HL-205", "Gaudi1"] },
  { name: "GB200", also: [] },
  { name: "H100", also: ["H100-80GB", "H100-SXM", "H100-SXM5", "H100-80GB-HBM3"] },
  { name: "H200", also: ["H200-SXM", "H200-141GB"] },
  { name: "Inferentia", also: ["Inferentia1", "inf1"] },
  { name: "Inferentia2", also: ["inf2"] },
  { name: "K80", also: [] },
  { name: "L4", also: ["L4-24GB"] },
  { name: "L40S", also: ["L40S-48GB"] },
  { name: "M60", also: [] },
  {
    name: "RTXPRO6000",
    also: [
      ...["RTX PRO Server 6000", "RTX PRO 6000 Server", "RTX 6000 PRO", "RTX PRO 6000 Blackwell"],
      "RTX PRO 6000 Blackwell Server Edition",
    ],
  },
  { name: "RadeonProV520", also: ["V520"] },
  { name: "T4", also: ["T4-16GB"] },
  { name: "T4g", also: ["T4G-16GB"] },
  { name: "Trainium", also: ["Trainium1", "trn1"] },
  { name: "Trainium2", also: ["trn2"] },
  { name: "Trainium3", also: ["trn3"] },
  { name: "U30", also: [] },
  { name: "V100", also: ["V100-16GB", "V100-SXM2", "V100-SXM2-16GB", "V100-PCIE-16GB"] },
  { name: "V100-32GB", also: ["V100-SXM2-32GB", "V100-32G", "V100-PCIE-32GB"] },
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

/** What EC2 does not have, as SkyPilot and others spell it: none of these was meant as one of the others. */
const ELSEWHERE: ReadonlySet<string> = new Set(
  [
    ...["A2", "A10", "A16", "A30", "A40", "A800", "A4000", "A4500", "A5000", "A6000", "GH200"],
    ...["H100 NVL", "H100-PCIe", "H100-MEGA-80GB", "H200 NVL", "H20", "H800", "L40", "M4000"],
    ...["P4", "P40", "P100", "P4000", "P5000", "P6000", "MI25", "MI210", "MI250", "MI250X", "MI300X", "MI325X"],
    ...["Gaudi2", "Gaudi3", "GTX1080Ti", "RTX2080Ti", "RTX3060", "RTX3070", "RTX3080", "RTX3090", "RTX4000"],
    ...["RTX4060", "RTX4070", "RTX4080", "RTX4090", "RTX5000", "RTX5080", "RTX5090", "RTX6000", "RTX6000-Ada"],
    ...["RTX4000-Ada", "RTX5000-Ada", "RTXA4000", "RTXA5000", "RTXA6000", "Titan V", "Titan RTX"],
  ].map(key),
);

/** Canonical names of all that EC2 has somewhere. */
export const names: readonly string[] = KNOWN.map(({ name }) => name);

/** Google's, in any of their spellings: `tpu-v4-8`, `TPU-V5litepod-16`, `v5e`. */
export const isTpu = (word: string): boolean => /^(tpu|v\d+(e|p|lite|litepod)?-\d|v5e$|v5p$|v6e$)/i.test(word.trim());

/** The canonical name of what someone wrote; undefined when no such accelerator is known. */
export const known = (word: string): string | undefined => BY_KEY.get(key(word));

/** The canonical name of what someone wrote; the word itself when no such accelerator is known. */
export const canonical = (word: string): string => known(word) ?? word;

/** Whether there is an accelerator of this name, on EC2 or elsewhere. */
export const isAccelerator = (word: string): boolean => BY_KEY.has(key(word)) || ELSEWHERE.has(key(word));

/**
 * Whether a machine's accelerator is the one that was asked for: both go by the same canonical name. One that only its
 * driver has a name for (`NVIDIA GeForce RTX 4090`) is meant by any of the words of that name.
 */
export function isSame(asked: string, has: string): boolean {
  const name = known(has);
  if (name !== undefined) return name === known(asked);
  const words = new Set(wordsOf(has));
  return wordsOf(asked).every(word => words.has(word));
}

const wordsOf = (name: string): string[] => name.toLowerCase().split(/[^a-z0-9]+/);

/** How many of them a machine has. */
export const countOf = (accelerators: Readonly<Record<string, number>>, asked: string): number =>
  Object.entries(accelerators).reduce((sum, [has, count]) => (isSame(asked, has) ? sum + count : sum), 0);

const NOT_NVIDIAS: ReadonlySet<string> = new Set([
  ...["AI100", "Gaudi", "Inferentia", "Inferentia2", "RadeonProV520", "Trainium", "Trainium2", "Trainium3"],
  ...["U30", "VU47P"],
]);

/** Whether NVIDIA's tools would show it; others have tools of their own. */
export const isNvidia = (name: string): boolean => !NOT_NVIDIAS.has(canonical(name));
