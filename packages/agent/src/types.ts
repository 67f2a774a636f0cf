/** The words of the protocol. Types only: they vanish, and the agent stays free of dependencies. */
export type {
  Assignment,
  AttemptRef,
  Enroll,
  Enrolled,
  Held,
  HeldRef,
  LogPolicy,
  Notice,
  Orders,
  Poll,
  PowerOff,
  Register,
  Report,
  Reported,
} from "@muster/core/agent/protocol.ts";
export type { Cause } from "@muster/core/attempt/attempt.ts";
export type { Generation } from "@muster/core/checkpoint/checkpoint.ts";
export type { Ask, Given } from "@muster/core/checkpoint/read.ts";
export type { Facts } from "@muster/core/host/host.ts";
export type { End, Entry } from "@muster/core/output/manifest.ts";
export type { Endpoint } from "@muster/core/task/service.ts";
