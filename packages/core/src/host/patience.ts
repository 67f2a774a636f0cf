/** Silence that makes a host suspect, in ms: several polls have not come. */
export const SUSPECT_AFTER = 300_000;
