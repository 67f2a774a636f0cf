/**
 * Bytes of an archive, gathered into batches that are compressed each for itself: gzip files may be written one behind the
 * other and read as one (RFC 1952). What does not shrink has batches of its own, which are only stored: trying takes twenty
 * times as long.
 */
import { Buffer } from "node:buffer";

/** What was measured on source code: level 1 makes 15 % of it at 283 MB/s, 3 makes 14 % at 225, and 6 makes 12 % at 91. */
export const LEVEL = 3;
/** Bits of information in a byte from which it is stored: random bytes have 8, 32-bit floats 7.3, 16-bit ones 6.2. */
export const DENSE = 7.2;
const SAMPLES = 4096;
/** Smaller pieces go with their neighbours. */
const SMALL = 16_384;
/** No piece is larger. Batches of 1 MB make 1.5 % less of source code, and take more memory. */
const BATCH = 262_144;

export interface Batch {
  /** Good until the next one is taken. */
  readonly bytes: Uint8Array;
  /** For gzip. */
  readonly level: number;
}

/** @param pieces Each good until the next one is taken. */
export function* batches(pieces: Iterable<Uint8Array>): Generator<Batch> {
  const buffer = Buffer.allocUnsafe(BATCH);
  const open = { used: 0, level: LEVEL };
  for (const piece of pieces) {
    const level = levelOf(piece) ?? open.level;
    if (open.used > 0 && (level !== open.level || open.used + piece.length > BATCH)) {
      yield { bytes: buffer.subarray(0, open.used), level: open.level };
      open.used = 0;
    }
    open.level = level;
    buffer.set(piece, open.used);
    open.used += piece.length;
  }
  yield { bytes: buffer.subarray(0, open.used), level: open.level };
}

const levelOf = (piece: Uint8Array): number | undefined => {
  if (piece.length < SMALL) return undefined;
  return entropy(piece) > DENSE ? 0 : LEVEL;
};

/** Shannon's entropy of single bytes, in bits, of some of them. */
function entropy(bytes: Uint8Array): number {
  // Odd, so that all bytes of numbers in a row have their turn.
  const step = Math.floor(bytes.length / SAMPLES) | 1;
  const counts = new Uint32Array(256);
  for (let at = 0; at < bytes.length; at += step) counts[bytes[at] ?? 0] = (counts[bytes[at] ?? 0] ?? 0) + 1;
  const total = Math.ceil(bytes.length / step);
  return counts.reduce((sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)), 0);
}
