/** The Log port of Lambda functions: one JSON line each, and numbers in CloudWatch's embedded metric format. */
import type { Clock, Log } from "@muster/core/ports/ports.ts";
import { METRICS } from "./places.ts";

/** @param write takes one line, without its end. */
export function createLog(deployment: string, clock: Clock, write: (line: string) => void): Log {
  const line = (level: string, message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    write(JSON.stringify({ level, message, ...fields }));
  return {
    info: (message, fields) => line("info", message, fields),
    error: (message, fields) => line("error", message, fields),
    count: (name, value) => write(JSON.stringify(measured(deployment, clock.now(), name, value))),
  };
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const measured = (deployment: string, now: number, name: string, value: number) => ({
  _aws: {
    Timestamp: now,
    CloudWatchMetrics: [
      { Namespace: METRICS.namespace, Dimensions: [["deployment"]], Metrics: [{ Name: name, Unit: "Count" }] },
    ],
  },
  deployment,
  [name]: value,
});
