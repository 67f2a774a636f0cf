/** The Workflow port on Step Functions: one execution per name. */
import type { Log, Workflow } from "@muster/core/ports/ports.ts";
import type { Aws } from "./call/aws.ts";
import { json } from "./call/json.ts";
import { Fault } from "./fault.ts";

/** ARNs of the state machines. */
export interface Machines {
  readonly up: string;
  readonly down: string;
}

/**
 * Names are unique for 90 days, and an execution of that name, running or ended, is the one that was meant.
 * (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html)
 */
export function createWorkflow(aws: Aws, machines: Machines, log: Log): Workflow {
  return {
    start: async (machine, name, input) => {
      const stateMachineArn = machine === "cluster-up" ? machines.up : machines.down;
      try {
        // Starting twice under one name is starting once.
        await json(
          aws,
          "states",
          "StartExecution",
          { stateMachineArn, name, input: JSON.stringify(input) },
          { attempts: 4 },
        );
        return true;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (error.code === "ExecutionAlreadyExists") return true;
        // The caller drives the cluster itself as far as it can, and its deadlines do the rest.
        log.error("a workflow could not be started", { machine, name, reason: String(error) });
        return false;
      }
    },
  };
}

/** For functions that start none: whoever asks reconciles by itself. */
export const noWorkflow: Workflow = { start: async () => false };
