/** Where a context's token comes from, and so how another is had when it ends. It is kept with the token. */
import * as z from "zod";

const where = {
  /** Name of the issuer at the control plane. */
  issuer: z.string().optional(),
  workspace: z.string().optional(),
};

export const Source = z.discriminatedUnion("kind", [
  z.looseObject({
    ...where,
    kind: z.literal("oidc"),
    url: z.string(),
    clientId: z.string(),
    publicClientSecret: z.string().optional(),
    /** The issuer's refresh token; absent: it gave none, and one signs in again. */
    refresh: z.string().optional(),
  }),
  z.looseObject({ ...where, kind: z.literal("aws"), region: z.string() }),
  z.looseObject({ ...where, kind: z.literal("github"), audience: z.string() }),
  /** A token that was given from a file: nobody but its giver has another. */
  z.looseObject({ ...where, kind: z.literal("given") }),
]);
export type Source = z.infer<typeof Source>;
export type Oidc = Extract<Source, { kind: "oidc" }>;

/** What the issuer is called, by people. */
export const describe = (source: Source): string => {
  const name = source.issuer === undefined ? "" : `${source.issuer} `;
  switch (source.kind) {
    case "oidc":
      return `${name}(${source.url})`;
    case "aws":
      return `${name}(AWS)`;
    case "github":
      return `${name}(GitHub Actions)`;
    case "given":
      return `${name}(a token from a file)`;
  }
};
