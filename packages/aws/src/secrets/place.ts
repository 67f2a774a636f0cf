/**
 * Where secrets are in AWS: SSM's Parameter Store, one encrypted parameter per owner, named
 * `/muster/<deployment>/<workspace>/<owner>`. Each verb is a module of its own: a function loads what it may do, and no more.
 */
import { MusterError } from "@muster/core/error.ts";
import type { SecretsRef } from "@muster/core/ports/secrets.ts";
import type { Aws } from "../call/aws.ts";
import { Fault, toMusterError } from "../fault.ts";
import { PARAMETER_PATH } from "../places.ts";

export interface Place {
  readonly aws: Aws;
  readonly deployment: string;
  /** ARN of the key; the account's own key for SSM (`alias/aws/ssm`) when absent. */
  readonly kmsKey?: string | undefined;
  /** Tags that everything of this deployment must bear. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Each of these verbs may be repeated; the API's function has 28 seconds in all. */
export const PATIENCE = { attempts: 4, timeout: 5000 };

/** What a parameter's name takes between its slashes (PutParameter, Name). */
const NAME = /^[\w.-]+$/;

export const pathOf = ({ deployment }: Pick<Place, "deployment">): string => `${PARAMETER_PATH}${deployment}`;

/** @throws MusterError `internal` for what cannot be in a name: ids and workspaces can. */
export function nameOf(place: Pick<Place, "deployment">, { workspace, owner }: SecretsRef): string {
  if (NAME.test(workspace) && NAME.test(owner)) return `${pathOf(place)}/${workspace}/${owner}`;
  throw new MusterError("internal", `secrets of '${workspace}/${owner}' have no place`);
}

/** Undefined for a name that is none of ours. */
export function refOf(place: Pick<Place, "deployment">, name: string): SecretsRef | undefined {
  const path = `${pathOf(place)}/`;
  const [workspace, owner, ...more] = name.startsWith(path) ? name.slice(path.length).split("/") : [];
  return workspace && owner && more.length === 0 ? { workspace, owner } : undefined;
}

/** Waiting helps against throttling; whatever else Parameter Store says, its secrets are out of reach. */
export function troubleOf(error: unknown): unknown {
  if (!(error instanceof Fault)) return error;
  const told = toMusterError(error);
  return told.code === "busy" ? told : new MusterError("unavailable", told.message, told.details, error);
}

export const isCode = (error: unknown, code: string): boolean => error instanceof Fault && error.code === code;
