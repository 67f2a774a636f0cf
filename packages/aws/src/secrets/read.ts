/** Reads secrets, for those who work with them. */
import type { SecretsReader } from "@muster/core/ports/secrets.ts";
import { valuesOf } from "@muster/core/secret/text.ts";
import * as z from "zod";
import { json } from "../call/json.ts";
import { isCode, nameOf, PATIENCE, type Place, troubleOf } from "./place.ts";

const Answer = z.object({ Parameter: z.object({ Value: z.string() }) });

export const read =
  (place: Pick<Place, "aws" | "deployment">): SecretsReader["read"] =>
  async ref => {
    const parameter = { Name: nameOf(place, ref), WithDecryption: true };
    try {
      const answer = await json(place.aws, "ssm", "GetParameter", parameter, PATIENCE);
      return valuesOf(Answer.parse(answer).Parameter.Value);
    } catch (error) {
      if (isCode(error, "ParameterNotFound")) return undefined;
      throw troubleOf(error);
    }
  };
