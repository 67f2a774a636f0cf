/** Forgets secrets; those that are gone are forgotten. */
import type { SecretsKeeper } from "@muster/core/ports/secrets.ts";
import { json } from "../call/json.ts";
import { isCode, nameOf, PATIENCE, type Place, troubleOf } from "./place.ts";

export const forget =
  (place: Pick<Place, "aws" | "deployment">): SecretsKeeper["forget"] =>
  async ref => {
    try {
      await json(place.aws, "ssm", "DeleteParameter", { Name: nameOf(place, ref) }, PATIENCE);
    } catch (error) {
      if (!isCode(error, "ParameterNotFound")) throw troubleOf(error);
    }
  };
