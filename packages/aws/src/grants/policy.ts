/** Statements in the form of IAM. */
import type { Statement } from "./statement.ts";

export interface Policy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly object[];
}

export const policyOf = (statements: readonly Statement[]): Policy => ({
  Version: "2012-10-17",
  Statement: statements.map(allow),
});

/** Conditions by operator, then by key. */
function allow({ actions, resources, conditions = [] }: Statement): object {
  const byTest = Map.groupBy(conditions, ({ test }) => test);
  const condition = [...byTest].map(([test, some]) => [
    test,
    Object.fromEntries(some.map(({ variable, values }) => [variable, values])),
  ]);
  return {
    Effect: "Allow",
    Action: actions,
    Resource: resources,
    ...(condition.length > 0 && { Condition: Object.fromEntries(condition) }),
  };
}
