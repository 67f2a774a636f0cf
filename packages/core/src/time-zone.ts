/** Time zones by their IANA names, such as `Europe/Paris`. */
import { nearest } from "./near.ts";

/** Whether there is such a zone. Offsets such as `+01:00` are none: they know no summer. */
export function isZone(timeZone: string): boolean {
  try {
    return /^[a-z]/i.test(timeZone) && new Intl.DateTimeFormat("en", { timeZone }) !== undefined;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** What to write instead of a name that is no zone's. */
export function zoneMeant(timeZone: string): string {
  const near = nearest(timeZone, Intl.supportedValuesOf("timeZone"));
  return near ? `did you mean ${near}?` : "name one such as Europe/Paris";
}
