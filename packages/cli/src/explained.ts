/** A client whose refusals say what to do about them, in terms of where its token is from. */
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Remote } from "./context/target.ts";

type Method = (...call: unknown[]) => Promise<unknown>;

/** The same client; only its failures differ. */
export function explained(api: Client, target: Remote): Client {
  const wrapped = Object.entries(api).map(([noun, verbs]) => [
    noun,
    Object.fromEntries(Object.entries(verbs).map(([verb, method]) => [verb, told(method as Method, target)])),
  ]);
  // The same nouns and verbs, each with its own type.
  return Object.fromEntries(wrapped) as Client;
}

const told =
  (method: Method, target: Remote): Method =>
  async (...call) => {
    try {
      return await method(...call);
    } catch (error) {
      const isRefused = error instanceof MusterError && error.code === "unauthenticated";
      // Nobody was asked with a token: whoever vouched has said no, and what to do about it.
      throw isRefused && error.details.signedOut !== true ? refused(error, target) : error;
    }
  };

/** Revoked, expired, or never a token of this control plane: only the second is told apart by whoever refuses it. */
function refused(error: MusterError, target: Remote): MusterError {
  const { which, next } = remedy(target);
  const message = `${target.endpoint} refuses ${which}: ${error.message}`;
  const hint = `it was revoked, has expired, or belongs elsewhere; ${next}`;
  return new MusterError(error.code, message, { ...error.details, hint }, error);
}

function remedy({ endpoint, context, given }: Remote): { readonly which: string; readonly next: string } {
  if (given) return { which: "this token", next: "ask an admin for another: muster tokens create NAME" };
  if (context === undefined)
    return { which: "the token in MUSTER_TOKEN", next: "set another, or unset it and log in: muster login" };
  return {
    which: `the token of context '${context}'`,
    next: `with another: muster login ${endpoint} --name ${context}`,
  };
}
