/** The blob store in memory, with grants as S3's POST policies are: a prefix, a size, an end. */
import type { Blobs, PostPolicy } from "@muster/core/ports/blobs.ts";
import type { Kernel } from "../kernel.ts";
import { call, type Process } from "../process.ts";
import type { Sim } from "../sim.ts";

interface Blob {
  readonly size: number;
  readonly writtenAt: number;
}

export class BlobStore {
  readonly #kernel: Kernel;
  readonly #blobs = new Map<string, Blob>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  has(key: string): boolean {
    return this.#blobs.has(key);
  }

  get(key: string): Blob | undefined {
    return this.#blobs.get(key);
  }

  put(key: string, size: number): void {
    this.#blobs.set(key, { size, writtenAt: this.#kernel.now });
  }

  remove(key: string): void {
    this.#blobs.delete(key);
  }

  list(prefix: string, after: string, limit: number) {
    const keys = [...this.#blobs.keys()].filter(key => key.startsWith(prefix) && key > after).sort();
    return keys.slice(0, limit).map(key => ({ key, ...(this.#blobs.get(key) as Blob) }));
  }

  /** A form that somebody posts. @returns whether the grant allows it. */
  post(policy: Pick<PostPolicy, "prefix" | "maxBytes" | "expiresAt">, key: string, size: number): boolean {
    const isAllowed = key.startsWith(policy.prefix) && size <= policy.maxBytes && policy.expiresAt > this.#kernel.now;
    if (isAllowed) this.put(key, size);
    return isAllowed;
  }
}

export function blobsPort(sim: Sim, process: Process): Blobs {
  const { blobs } = sim;
  const at = <T>(verb: string, key: string, effect: () => T) =>
    call(sim, process, `${process.name} ${verb} ${key}`, effect);
  return {
    put: (key, bytes) => at("put", key, () => blobs.put(key, bytes.length)),
    get: key => at("get", key, () => new Uint8Array(blobs.get(key)?.size ?? 0)),
    head: key =>
      at("head", key, () => {
        const blob = blobs.get(key);
        return blob && { key, ...blob };
      }),
    list: (prefix, options = {}) =>
      at("list", prefix, () => blobs.list(prefix, options.after ?? "", options.limit ?? 1000)),
    remove: key => at("remove", key, () => blobs.remove(key)),
    // Signing needs no call.
    postPolicy: async grant => ({ url: "https://blobs.example", fields: {}, ...grant }),
    signedGet: async key => `https://blobs.example/${key}`,
  };
}
