/** Keeps secrets as an encrypted parameter, which is there whole or not at all. */
import type { SecretsKeeper } from "@muster/core/ports/secrets.ts";
import { textOf } from "@muster/core/secret/text.ts";
import { json } from "../call/json.ts";
import { Fault } from "../fault.ts";
import { DEPLOYMENT_TAG } from "../places.ts";
import { isCode, nameOf, PATIENCE, type Place, troubleOf } from "./place.ts";

export const keep =
  (place: Place): SecretsKeeper["keep"] =>
  async (ref, values) => {
    const text = textOf(values);
    const parameter = {
      Name: nameOf(place, ref),
      Type: "SecureString",
      Value: text,
      // Advanced where it must be: beyond 4 KB, or beyond the 10,000 standard parameters that a region takes.
      Tier: "Intelligent-Tiering",
      ...(place.kmsKey !== undefined && { KeyId: place.kmsKey }),
    };
    try {
      await put(place, parameter);
    } catch (error) {
      throw troubleOf(silenced(error, [text, ...Object.values(values)]));
    }
  };

/** Tags can be given to a new parameter only; one that is there has them, and gets its value anew. */
async function put(place: Place, parameter: object): Promise<void> {
  const tags = { ...place.tags, [DEPLOYMENT_TAG]: place.deployment };
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  try {
    await json(place.aws, "ssm", "PutParameter", { ...parameter, Tags }, PATIENCE);
  } catch (error) {
    if (!isCode(error, "ParameterAlreadyExists")) throw error;
    await json(place.aws, "ssm", "PutParameter", { ...parameter, Overwrite: true }, PATIENCE);
  }
}

/** AWS's words may quote what it refuses; they are logged, and shown. */
function silenced(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof Fault) || !secrets.some(secret => secret !== "" && error.said.includes(secret))) return error;
  return new Fault({ ...error, message: "what AWS says quotes a secret, and is not shown", body: {} });
}
