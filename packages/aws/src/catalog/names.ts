/** EC2's names of accelerators, as people write them. */
import { known } from "@muster/core/accelerator/names.ts";

/** Of models that come with different memories EC2 gives one name; MiB from which the larger one begins. */
const LARGER: Readonly<Record<string, { readonly from: number; readonly name: string }>> = {
  A100: { from: 60_000, name: "A100-80GB" },
  V100: { from: 24_000, name: "V100-32GB" },
};

/** The canonical name of what EC2 calls `name`, with `mib` of memory on each. */
export function ofEc2(name: string, mib: number): string {
  const common = known(name);
  if (common === undefined) return name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^-|-$/g, "");
  const larger = LARGER[common];
  return larger !== undefined && mib >= larger.from ? larger.name : common;
}
