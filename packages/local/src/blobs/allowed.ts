/** What a grant lets through: no more bytes than it allows, and no others than were announced. */
import { createHash } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import type { Content } from "./files.ts";
import type { Grant } from "./grants.ts";

/**
 * The content piece by piece; what takes it in must not keep it unless its end is reached.
 * @throws MusterError `too_large`; `invalid_request` for other bytes than those announced, fewer and more among them
 */
export async function* allowed(content: Content, grant: Grant): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of content instanceof Uint8Array ? [content] : content) {
    size += piece.length;
    if (size > grant.maxBytes) throw tooMuch(grant);
    if (grant.sha256 !== undefined) hash.update(piece);
    yield piece;
  }
  if (grant.sha256 !== undefined && hash.digest("hex") !== grant.sha256) throw otherBytes();
}

/** How more bytes than a grant allows are refused. */
export const tooMuch = ({ maxBytes, sha256 }: Grant): MusterError =>
  sha256 === undefined
    ? new MusterError("too_large", `this policy is for at most ${maxBytes} bytes`, { maxBytes })
    : otherBytes();

const otherBytes = (): MusterError =>
  new MusterError("invalid_request", "the bytes are not those that were announced", {
    hint: "the file may have changed meanwhile: announce it again",
  });
