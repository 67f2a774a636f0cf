/** Which ways there are to sign in, for whoever has no token yet. */
import * as Issuer from "../issuer/issuer.ts";
import * as Keys from "../keys.ts";
import { readable } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import { FIRST, LOCAL } from "../workspace/workspace.ts";
import type { Option } from "./login.ts";

/** Of a workspace, or of the deployment's first. One that is not there has none, as one that has none. */
export async function options(
  { table }: { readonly table: Table },
  workspace: string | undefined,
): Promise<{ items: Option[] }> {
  const places = workspace === undefined ? [FIRST, LOCAL] : [workspace];
  const pages = await Promise.all(
    places.map(place => table.query({ pk: Keys.issuers(place), prefix: Keys.ISSUER, limit: 100 })),
  );
  const issuers = pages.flatMap(page => page.items.map(item => readable(() => glimpse(Issuer.noun, item))));
  return { items: issuers.flatMap(issuer => (issuer === undefined ? [] : [optionOf(issuer)])) };
}

/** Neither its rules nor who set it. */
function optionOf({ name, kind, url, clientId, publicClientSecret, scopes, audiences }: Issuer.Issuer): Option {
  const audience = kind === "people" ? undefined : audiences[0];
  return {
    ...{ name, kind },
    ...(url !== undefined && { url }),
    ...(clientId !== undefined && { clientId }),
    ...(publicClientSecret !== undefined && { publicClientSecret }),
    ...(scopes !== undefined && { scopes }),
    ...(audience !== undefined && { audience }),
  };
}
