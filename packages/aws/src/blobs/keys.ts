/** What may be a blob's key: what every adapter takes, so that a blob can move from one to another. */
import { MusterError } from "@muster/core/error.ts";

const MAX_KEY_BYTES = 1024;

/** @throws MusterError `invalid_request` */
export function checked(key: string): string {
  const bytes = Buffer.byteLength(key);
  if (bytes < 1 || bytes > MAX_KEY_BYTES)
    throw new MusterError("invalid_request", `a blob's key has 1 to ${MAX_KEY_BYTES} bytes, this one has ${bytes}`);
  if (!key.isWellFormed() || /[\0\\]/.test(key))
    throw new MusterError("invalid_request", "a blob's key has no NUL, no backslash and no half characters");
  if (key.split("/").some(segment => segment === "" || segment === "." || segment === ".."))
    throw new MusterError("invalid_request", `a blob's key has no empty, "." or ".." segments: ${key}`);
  return key;
}

export const MAX_PAGE = 1000;

/** The bounds of a list. @throws MusterError `invalid_request` */
export function checkPage(prefix: string, after: string, limit: number): void {
  if (!prefix.isWellFormed() || !after.isWellFormed())
    throw new MusterError("invalid_request", "a bound of a list is not well-formed text");
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE))
    throw new MusterError("invalid_request", `a page has 1 to ${MAX_PAGE} blobs, not ${limit}`);
}
