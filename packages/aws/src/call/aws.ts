/** What every call to AWS needs to know. */

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

export interface Aws {
  readonly region: string;
  /** Asked once per attempt, so it should remember what it found. */
  readonly credentials: () => Promise<Credentials>;
  /** Of an emulator or a private endpoint, without a slash at its end; AWS's public endpoints when absent. */
  readonly endpoint?: string | undefined;
  /** Hears of every request that went out, answered or not. */
  readonly onCall?: ((call: Called) => void) | undefined;
}

export interface Called {
  readonly service: string;
  readonly operation: string;
  /** Of HTTP; 0 when no answer came. */
  readonly status: number;
  /** From 1. A request that met a dead connection is repeated under the same number. */
  readonly attempt: number;
  /** DynamoDB's capacity units, where the answer tells. */
  readonly readUnits?: number;
  readonly writeUnits?: number;
}

/**
 * The credentials that Lambda puts into a function's environment. They outlive the sandbox that they were given to.
 * @throws Error when there are none.
 */
export function lambdaCredentials(env: Readonly<Record<string, string | undefined>>): () => Promise<Credentials> {
  return async () => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
    if (!accessKeyId || !secretAccessKey) throw new Error("the environment has no AWS credentials");
    return { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) };
  };
}

/** The host name of a regional endpoint. */
export const hostOf = (name: string, region: string): string =>
  `${name}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
