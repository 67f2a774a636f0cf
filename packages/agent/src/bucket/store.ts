/**
 * S3 as far as jobs' buckets need it: what lies under a prefix, and the bytes of an object.
 *
 * A bucket answers in its own region only. Whoever asks elsewhere is told where that is, and asks there from then on.
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html)
 */
import type { IncomingMessage } from "node:http";
import { send } from "../control/send.ts";
import { encode, sign } from "../control/sign.ts";
import { hasCode, messageOf } from "../disk.ts";
import { InputError } from "../inputs/place.ts";
import { backoff, sleep } from "../wait.ts";
import { type Access, isRegion } from "./access.ts";
import { all, type Element, parse, textOf } from "./xml.ts";

/** About a minute of trying. */
const TRIES = 12;
/** Time without a single byte, in ms. */
const PATIENCE = 60_000;
const REDIRECTS = 3;
/** How long a store is tried that has never answered, in ms: names that do not resolve seldom do so later. */
const FIRST_WITHIN = 20_000;

/** S3 answered, and the answer is no. */
export class Denied extends Error {
  readonly status: number;
  /** S3's own word for it; empty when something else answered. */
  readonly code: string;

  constructor(status: number, code: string) {
    super(code === "" ? `HTTP ${status}` : `${code}, HTTP ${status}`);
    this.status = status;
    this.code = code;
  }
}

/** What may go better the next time. */
export class Hiccup extends Error {}

/** S3 has never answered. */
export class Unreached extends Error {
  constructor(reason: unknown) {
    // One for each address of a name; of itself it says nothing.
    super(messageOf(reason instanceof AggregateError ? reason.errors[0] : reason), { cause: reason });
  }
}

/** S3 answered, and there is nothing to be made of it. */
class Nonsense extends Error {}

export interface Item {
  readonly key: string;
  readonly size: number;
  /** Epoch ms. */
  readonly modifiedAt: number;
}

export interface Page {
  readonly items: readonly Item[];
  /** Asks for the next page. Absent: this is the last. */
  readonly next: string | undefined;
}

export class Store {
  readonly #bucket: string;
  readonly #access: Access;
  readonly #signal: AbortSignal;
  #region: string;
  /** Epoch ms; undefined once there was an answer, whatever it said. */
  #firstUntil: number | undefined;

  constructor(bucket: string, access: Access, signal: AbortSignal) {
    this.#bucket = bucket;
    this.#access = access;
    this.#signal = signal;
    this.#region = access.region;
    this.#firstUntil = Date.now() + FIRST_WITHIN;
  }

  /** Where the bucket answered, or is first looked for. */
  get region(): string {
    return this.#region;
  }

  /** Everything under a prefix, in the order of the keys. @throws Denied */
  async *list(prefix: string): AsyncGenerator<readonly Item[]> {
    for (let next: string | undefined, isFirst = true; isFirst || next !== undefined; isFirst = false) {
      const page = await this.page(prefix, next);
      yield page.items;
      if (page.next !== undefined && page.next === next)
        throw new Nonsense("the list of objects goes round in circles");
      next = page.next;
    }
  }

  /** @throws Denied */
  page(prefix: string, next?: string, most = 1000): Promise<Page> {
    const query = {
      ...(next === undefined ? {} : { "continuation-token": next }),
      "encoding-type": "url",
      "list-type": "2",
      "max-keys": String(most),
      prefix,
    };
    return this.#insist(async () => pageOf(await this.#text("", query)));
  }

  /** Gives `take` an object's bytes, and again from the start when they break off. @throws Denied */
  read<T>(key: string, take: (answer: IncomingMessage) => Promise<T>): Promise<T> {
    return this.#insist(async () => take(await this.#ask(key, {})));
  }

  async #insist<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      const wait = backoff(failures);
      try {
        return await work();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (isFinal(error)) throw error;
        this.#mayGoOn(error, failures + 1 < TRIES, wait);
      }
      await sleep(wait, this.#signal);
    }
  }

  /** @throws what to say when it may not */
  #mayGoOn(error: unknown, hasTries: boolean, wait: number): void {
    const until = this.#firstUntil;
    if (until !== undefined && (!hasTries || Date.now() + wait > until)) throw new Unreached(error);
    if (!hasTries) throw error;
  }

  /** For one request, in ms. */
  get #patience(): number {
    return this.#firstUntil === undefined ? PATIENCE : Math.max(1_000, this.#firstUntil - Date.now());
  }

  async #text(key: string, query: Readonly<Record<string, string>>): Promise<Element> {
    const said = await textOfAll(await this.#ask(key, query));
    try {
      return parse(said);
    } catch (error) {
      throw new Hiccup(`the list of objects cannot be read (${messageOf(error)})`);
    }
  }

  async #ask(key: string, query: Readonly<Record<string, string>>, redirects = REDIRECTS): Promise<IncomingMessage> {
    const url = this.#url(key, query);
    const { credentials } = this.#access;
    const signing = { region: this.#region, service: "s3", at: Date.now() };
    const headers =
      credentials === undefined ? {} : sign({ method: "GET", url, headers: {}, body: "" }, { ...signing, credentials });
    const answer = await send(url, { method: "GET", headers, patience: this.#patience, signal: this.#signal });
    this.#firstUntil = undefined;
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    const said = await textOfAll(answer);
    if (redirects > 0 && this.#moves(answer, said)) return this.#ask(key, query, redirects - 1);
    throw problemOf(status, codeOf(said));
  }

  /** Whether the bucket said that it lives elsewhere. */
  #moves(answer: IncomingMessage, said: string): boolean {
    const region = String(answer.headers["x-amz-bucket-region"] ?? fieldOf(said, "Region") ?? "");
    if (!isRegion(region) || region === this.#region) return false;
    this.#region = region;
    return true;
  }

  /** A bucket's name with dots fits no certificate, and other stores seldom have a host for each bucket. */
  #url(key: string, query: Readonly<Record<string, string>>): string {
    const path = `/${key.split("/").map(encode).join("/")}`;
    const asked = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
    const search = asked.length === 0 ? "" : `?${asked.join("&")}`;
    const { endpoint } = this.#access;
    if (endpoint !== undefined) return `${endpoint}/${this.#bucket}${path}${search}`;
    const host = `s3.${this.#region}.amazonaws.com${this.#region.startsWith("cn-") ? ".cn" : ""}`;
    if (this.#bucket.includes(".")) return `https://${host}/${this.#bucket}${path}${search}`;
    return `https://${this.#bucket}.${host}${path}${search}`;
  }
}

/** Bytes of a list: a thousand keys of a kilobyte, each byte written as three, and what is said of them. */
const MOST_SAID = 5_000_000;

/** @throws Nonsense rather than fill the agent's memory with what never ends. */
async function textOfAll(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_SAID) throw new Nonsense("its answer is longer than any of S3's");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** Codes that AWS's own tools try again, beside all of 5xx. */
const PASSING = new Set(["SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "Throttling", "TooManyRequests"]);

const problemOf = (status: number, code: string): Error =>
  status >= 500 || status === 429 || status === 408 || PASSING.has(code)
    ? new Hiccup(`S3 answered ${new Denied(status, code).message}`)
    : new Denied(status, code);

const codeOf = (said: string): string => fieldOf(said, "Code") ?? "";

/** Of an error; undefined when this is none. */
function fieldOf(said: string, name: string): string | undefined {
  try {
    return textOf(parse(said), name);
  } catch {
    return undefined;
  }
}

const OF_THE_DISK = [
  "ENOSPC",
  "EDQUOT",
  "EACCES",
  "EPERM",
  "EROFS",
  "ENAMETOOLONG",
  "EISDIR",
  "ENOTDIR",
  "ELOOP",
  "EIO",
];

/** What does not pass by asking S3 again. */
const isFinal = (error: unknown): boolean =>
  error instanceof Denied || error instanceof Nonsense || error instanceof InputError || hasCode(error, ...OF_THE_DISK);

function pageOf(answer: Element): Page {
  if (answer.name !== "ListBucketResult") throw new Hiccup("the list of objects is none");
  const isEncoded = textOf(answer, "EncodingType") === "url";
  const next = textOf(answer, "IsTruncated") === "true" ? (textOf(answer, "NextContinuationToken") ?? "") : undefined;
  // As stores do that know the first version of this call alone.
  if (next === "") throw new Nonsense("the list of objects is cut short, and does not say where it goes on");
  return { items: all(answer, "Contents").map(one => itemOf(one, isEncoded)), next };
}

function itemOf(one: Element, isEncoded: boolean): Item {
  const key = textOf(one, "Key") ?? "";
  const size = Number(textOf(one, "Size"));
  const modifiedAt = Date.parse(textOf(one, "LastModified") ?? "");
  if (key === "" || !Number.isSafeInteger(size) || size < 0) throw new Hiccup("an object of the list is none");
  return { key: isEncoded ? decode(key) : key, size, modifiedAt: Number.isNaN(modifiedAt) ? 0 : modifiedAt };
}

/** As a form is encoded: a plus is a space. */
function decode(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    throw new Hiccup(`the key ${key} is not well encoded`);
  }
}
