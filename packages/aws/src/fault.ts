/**
 * Failures of AWS, sorted: those of our own transport and those of the SDK's clients are one `Fault`, and `toMusterError`
 * says it in the system's words.
 */
export { Fault, kindOf } from "./fault/fault.ts";
export { toMusterError } from "./fault/muster.ts";
export { faultOf } from "./fault/sdk.ts";
export type { Context, Facts, Kind, Problem } from "./fault/types.ts";
