/** The most that each GPU was busy, 0 to 1. */

/** With what they are now. Each rise of a tenth is kept for the next agent, and no more than that: it costs a write. */
export function peaksOf(
  now: readonly number[],
  before: readonly number[] | undefined,
): { readonly gpuPeaks: readonly number[]; readonly rose: boolean } {
  const gpuPeaks = now.map((share, index) => Math.max(share, before?.[index] ?? 0));
  const rose = gpuPeaks.some((peak, index) => Math.floor(peak * 10) > Math.floor((before?.[index] ?? -1) * 10));
  return { gpuPeaks, rose };
}
