const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes for people: `3.4 MB`. */
export function sizeText(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return step === 0 ? `${bytes} B` : `${(bytes / 1000 ** step).toFixed(1)} ${UNITS[step]}`;
}
