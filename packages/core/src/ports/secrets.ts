/**
 * Secrets: values that stand in no table, log, tag or input, each set under what it belongs to. The port is cut by
 * privilege: whoever keeps a secret cannot read it, and whoever sweeps sees names only.
 */

/** Values by their names, as a task gives them. */
export type Values = Readonly<Record<string, string>>;

export interface SecretsRef {
  readonly workspace: string;
  /** Id of the noun that they belong to, such as a job. */
  readonly owner: string;
}

/** Whoever makes what secrets belong to. */
export interface SecretsKeeper {
  /**
   * Keeps the values whole or not at all, in the place of any that were kept under this ref.
   * @throws MusterError `invalid_request` for more than fits: nothing was kept; `busy`: nothing was kept, ask again;
   * `unavailable`: nobody knows.
   */
  keep(ref: SecretsRef, values: Values): Promise<void>;
  /** What is not there is success. @throws MusterError `busy` or `unavailable`: ask again. */
  forget(ref: SecretsRef): Promise<void>;
}

/** Whoever hands them to those who work with them. */
export interface SecretsReader {
  /** What was kept minutes ago is there; undefined when none are kept. @throws MusterError `busy` or `unavailable`: ask again. */
  read(ref: SecretsRef): Promise<Values | undefined>;
}

/** Whoever looks for what was left behind. */
export interface SecretsSweeper extends Pick<SecretsKeeper, "forget"> {
  /** Refs that were last kept before this moment (epoch ms), in no order; a page may be empty and not the last. */
  list(query: { readonly before: number; readonly cursor?: string | undefined }): Promise<SecretsPage>;
}

export interface SecretsPage {
  readonly refs: readonly SecretsRef[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

export type Secrets = SecretsKeeper & SecretsReader & SecretsSweeper;
