/**
 * Failures of AWS, sorted: those of our own transport and those of the SDK's clients are one `Fault`, and `toMusterError`
 * says it in the system's words. What only EC2 fails with is known to fault/ec2.ts and fault/sdk.ts: most functions never
 * call it.
 */
export { Fault, kindOf } from "./fault/fault.ts";
export { toMusterError } from "./fault/muster.ts";
export type { Context, Facts, Kind, Problem } from "./fault/types.ts";
