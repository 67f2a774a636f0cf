/** Ran against: the local adapter, on real files, its HTTP edge called without a server between. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBlobs } from "@muster/local/blobs/blobs.ts";
import { handleBlobRequest } from "@muster/local/blobs/http.ts";
import { createDigest } from "@muster/node/digest.ts";
import { blobsContract } from "./blobs.ts";

blobsContract("files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-blobs-"));
  const clock = { now: () => 1_800_000_000_000 };
  const digest = createDigest("a key of this suite, 32 bytes long, or more");
  const { blobs, edge } = openBlobs({ folder, clock, digest, base: () => "http://127.0.0.1:1" });
  return {
    blobs,
    now: clock.now,
    fetch: request => handleBlobRequest(edge, request),
    close: () => rmSync(folder, { recursive: true }),
  };
});
