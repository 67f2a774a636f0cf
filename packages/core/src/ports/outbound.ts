/** Calls to addresses that users name: webhooks of theirs, and the forges that they have their code at. */

export interface OutboundRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `https:` only, on a port that is meant for it. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long the whole of it may take, in ms. */
  readonly timeout: number;
  /** How much of the answer's body is read, in bytes; what comes after is not. */
  readonly maxBytes: number;
}

/** Whatever the other side said: redirects are answers, and are not followed. */
export interface OutboundAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body is not all of it: it had more bytes than asked for, or the connection ended before it did. */
  readonly isCut?: true;
}

/** Reaches what is open to everybody, and nothing that is near: no private, local or link-local address, however it is written. */
export interface Outbound {
  /**
   * @throws MusterError `invalid_request` for an address that is not to be reached: nothing was sent; `unavailable` when no
   * answer came: nobody knows whether it was heard.
   */
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  /** @throws MusterError `invalid_request` for a URL that could never be reached, by its text alone: nobody is asked. */
  check(url: string): void;
}
