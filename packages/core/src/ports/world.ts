/** The world that verbs act on. A verb's first argument says which part of it it needs. */
import type { Trust } from "../actor/identity.ts";
import type { Blobs } from "./blobs.ts";
import type { Issuers } from "./issuers.ts";
import type { Outbound } from "./outbound.ts";
import type { Clock, Digest, Log, Random, Workflow } from "./ports.ts";
import type { MachineProvider } from "./provider.ts";
import type { SecretsKeeper, SecretsReader, SecretsSweeper } from "./secrets.ts";
import type { Signer } from "./signer.ts";
import type { Table } from "./table.ts";
import type { TaskFiles } from "./task-files.ts";

export interface World {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly workflow: Workflow;
  readonly providers: Providers;
  readonly secrets: SecretsSweeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly log: Log;
}

/** What every verb that changes something needs. */
export type Basics = Pick<World, "table" | "clock"> & { readonly random: Pick<Random, "ulid"> };

/** By name, in order of preference: the first is the default. */
export type Providers = ReadonlyMap<string, MachineProvider>;

/** What the API's functions see: no provider that could create or end a machine, only what it offers. */
export type Catalog = ReadonlyMap<string, Offering>;
export type Offering = Pick<MachineProvider, "name" | "offers" | "capabilities" | "catalog" | "checks">;

/** The part of the world that faces whoever calls. */
export type Facing = Pick<World, "table" | "blobs" | "clock" | "random" | "digest" | "log"> & {
  readonly providers: Catalog;
  /** Absent where no gateway checks the signatures of AWS. */
  readonly trust?: Trust;
};

/** Towards users: it keeps secrets, and cannot read them. */
export type Edge = Facing & { readonly secrets: SecretsKeeper };

/** Towards hosts: it reads secrets, and cannot change them. */
export type HostEdge = Facing & { readonly secrets: SecretsReader };

/** Towards those who sign in: it asks whoever issued what they show. */
export type SignInEdge = Facing & { readonly issuers: Issuers };

/**
 * Towards the outside: it tells others what has happened, and launches what they asked for. It reads what the workspace
 * keeps for that, and keeps nothing.
 */
export type Outside = Facing & {
  readonly secrets: SecretsReader & Pick<SecretsKeeper, "forget">;
  readonly outbound: Outbound;
  /** Signs as an App of a forge; absent where nobody can. */
  readonly signer?: Signer;
  readonly taskFiles: TaskFiles;
  /** Base of the pages that show jobs to people, without a slash at its end; absent where there are none. */
  readonly site?: string;
};

/** All of it, where one process is the whole control plane. */
export type Whole = World & Edge & HostEdge & Outside & SignInEdge;
