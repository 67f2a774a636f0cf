/** Whose secrets are kept: names and times, without a value. */
import type { SecretsSweeper } from "@muster/core/ports/secrets.ts";
import * as z from "zod";
import { json } from "../call/json.ts";
import { PATIENCE, type Place, pathOf, refOf, troubleOf } from "./place.ts";

/** The most that one page of DescribeParameters has. */
const PER_PAGE = 50;

const Answer = z.object({
  Parameters: z.array(z.object({ Name: z.string(), LastModifiedDate: z.number() })).default([]),
  NextToken: z.string().optional(),
});

/** DescribeParameters, and not GetParametersByPath: whoever may call that may also read. */
export const list =
  (place: Pick<Place, "aws" | "deployment">): SecretsSweeper["list"] =>
  async ({ before, cursor }) => {
    const query = {
      ParameterFilters: [{ Key: "Path", Option: "Recursive", Values: [pathOf(place)] }],
      MaxResults: PER_PAGE,
      ...(cursor !== undefined && { NextToken: cursor }),
    };
    try {
      const answer = Answer.parse(await json(place.aws, "ssm", "DescribeParameters", query, PATIENCE));
      const old = answer.Parameters.filter(({ LastModifiedDate }) => LastModifiedDate * 1000 < before);
      return {
        refs: old.flatMap(({ Name }) => refOf(place, Name) ?? []),
        ...(answer.NextToken && { cursor: answer.NextToken }),
      };
    } catch (error) {
      throw troubleOf(error);
    }
  };
