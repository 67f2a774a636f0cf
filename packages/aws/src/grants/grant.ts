/** What a grant is, and the conditions that many have. */
import { DEPLOYMENT_TAG, type Place, USE_TAG } from "../places.ts";

/** As SST and the IAM provider spell a condition; `{deployment}` in a value stands for the deployment's name. */
export interface Condition {
  readonly test: "StringEquals" | "Bool";
  readonly variable: string;
  readonly values: readonly string[];
}

export interface Grant {
  readonly actions: readonly string[];
  /** A grant whose places come to nothing, such as a key that no option named, is left out. */
  readonly on: readonly Place[];
  readonly when?: readonly Condition[];
  readonly why: string;
}

/** It acts on what bears the deployment's tag. */
export const tagged: Condition = {
  test: "StringEquals",
  variable: `aws:ResourceTag/${DEPLOYMENT_TAG}`,
  values: ["{deployment}"],
};
/** An administrator allowed it to use what it acts on. */
export const usable: Condition = {
  test: "StringEquals",
  variable: `aws:ResourceTag/${USE_TAG}`,
  values: ["{deployment}"],
};
/** It makes what bears the deployment's tag. */
export const tagging: Condition = {
  test: "StringEquals",
  variable: `aws:RequestTag/${DEPLOYMENT_TAG}`,
  values: ["{deployment}"],
};
export const equals = (variable: string, ...values: readonly string[]): Condition => ({
  test: "StringEquals",
  variable,
  values,
});
