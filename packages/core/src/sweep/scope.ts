/** How much is swept. */
import type { Tell } from "./surviving.ts";

export interface Scope {
  /** Only what is this workspace's; all there is when absent. */
  readonly workspace?: string | undefined;
  /** Nothing is done: what is found is only told. */
  readonly isDry?: boolean | undefined;
  readonly tell?: Tell | undefined;
}

export const isIn = ({ workspace }: Scope, one: { readonly workspace: string }): boolean =>
  workspace === undefined || workspace === one.workspace;
