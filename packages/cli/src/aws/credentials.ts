/** The credentials of whoever sits here, found as AWS's own tools find them. Loaded by the one command that needs them. */
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { MusterError } from "@muster/core/error.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @throws MusterError `unauthenticated` where there are none. */
export async function credentials(): Promise<Credentials> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await fromNodeProviderChain()();
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MusterError(
      "unauthenticated",
      `no AWS credentials: ${why}`,
      { hint: "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in first: aws sso login" },
      error,
    );
  }
}
