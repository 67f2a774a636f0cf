/**
 * What may stand in an XT config file: each section's properties and their types, as XT's own schema has them
 * (xtlib 0.0.177, helpers/xt_config_schema.yaml).
 *
 * Only what says where jobs run is taken over; the other sections are checked so that a slip is found in them too.
 */

/** A type of value; a list has the words of which the value is one. `secret` is text that is never shown. */
export type Type = "text" | "bool" | "whole" | "number" | "texts" | "map" | "secret" | readonly string[];

export interface Shape {
  readonly keys: Readonly<Record<string, Type>>;
  /** Those that must be there. */
  readonly required?: readonly string[];
}

/** Gives each of the keys, which are separated by spaces, the same type. */
const all = (type: Type, keys: string): Record<string, Type> =>
  Object.fromEntries(keys.split(" ").map(key => [key, type]));

/** Services by the value of their `type`. */
export const services: Readonly<Record<string, Shape>> = {
  philly: { keys: { type: "text" } },
  batch: { keys: { type: "text", key: "secret", url: "text" }, required: ["key", "url"] },
  aml: {
    keys: all("text", "type subscription-id resource-group"),
    required: ["subscription-id", "resource-group"],
  },
  storage: { keys: { ...all("text", "type provider path name"), key: "secret" }, required: ["provider"] },
  mongo: { keys: { type: "text", "mongo-connection-string": "secret" }, required: ["mongo-connection-string"] },
  vault: { keys: all("text", "type url"), required: ["url"] },
  registry: {
    keys: { ...all("text", "type login-server"), ...all("secret", "username password"), login: "bool" },
    required: ["login-server"],
  },
};

/** Services on which jobs run. */
export const computes = ["philly", "batch", "aml"];

const target: Shape = {
  keys: {
    ...all("text", "service vm-size azure-image box-class docker setup vc cluster queue sku compute name"),
    ...{ "low-pri": "bool", boxes: "texts", nodes: "whole" },
  },
  required: ["service"],
};

const docker: Shape = { keys: all("text", "registry image"), required: ["registry", "image"] };

const setup: Shape = { keys: { activate: "text", ...all("texts", "conda-packages pip-packages") } };

const box: Shape = {
  keys: { ...all("text", "address os box-class setup"), "max-runs": "whole", actions: "texts" },
  required: ["address", "max-runs"],
};

const image: Shape = {
  keys: all("text", "offer publisher sku node-agent-sku-id version"),
  required: ["offer", "publisher", "sku", "node-agent-sku-id", "version"],
};

const MODES = ["none", "download", "mount"];
const REPORTS = {
  ...all("text", "sort"),
  ...all("bool", "reverse uppercase-hdr right-align-numeric truncate-with-ellipses"),
  ...all("whole", "max-width precision last"),
  columns: "texts",
} as const;

/** Sections that are a set of properties. */
export const sections: Readonly<Record<string, Shape>> = {
  "xt-services": { keys: all("text", "storage mongo vault target") },
  general: {
    keys: {
      ...all("bool", "advanced-mode feedback distributed direct-run quick-start remote-control maximize-metric"),
      ...all("text", "username azure-tenant-id workspace experiment run-cache-dir xt-team-name monitor"),
      ...all("text", "primary-metric step-name"),
      ...{ "env-vars": "map", authentication: ["auto", "browser", "device-code"] },
    },
  },
  code: {
    keys: {
      ...all("texts", "code-dirs code-omit"),
      ...all("bool", "code-upload xtlib-upload"),
      ...{ "code-zip": ["none", "fast", "compress"], "working-dir": "text" },
    },
  },
  "after-files": { keys: { ...all("texts", "after-dirs after-omit"), "after-upload": "bool" } },
  data: {
    keys: {
      ...all("text", "data-local data-share-path"),
      ...all("bool", "data-upload data-writable"),
      ...{ "data-action": MODES, "data-omit": "texts" },
    },
  },
  model: { keys: { ...all("text", "model-local model-share-path"), "model-writable": "bool", "model-action": MODES } },
  logging: {
    keys: {
      ...{ log: "bool", notes: ["none", "before", "after", "all"] },
      ...{ "mirror-files": "text", "mirror-dest": ["none", "storage"] },
    },
  },
  internal: {
    keys: {
      ...all("bool", "stack-trace auto-start pip-freeze"),
      console: ["none", "normal", "diagnostics", "detail"],
    },
  },
  "aml-options": {
    keys: {
      ...all("bool", "use-gpu user-managed"),
      ...all("text", "framework fw-version"),
      ...{ "distributed-training": ["mpi", "gloo", "nccl"], "max-seconds": "whole" },
    },
  },
  "early-stopping": {
    keys: {
      "early-policy": ["none", "bandit", "median", "truncation"],
      ...all("number", "delay-evaluation evaluation-interval slack-factor slack-amount truncation-percentage"),
    },
  },
  "hyperparameter-search": {
    keys: {
      ...all("text", "option-prefix hp-config fn-generated-config"),
      ...all("whole", "max-runs concurrent"),
      ...{ "aggregate-dest": ["job", "experiment", "none"], "max-minutes": "number" },
      "search-type": ["random", "grid", "bayesian", "dgd"],
    },
  },
  "hyperparameter-explorer": {
    keys: all("text", "hx-cache-dir steps-name log-interval-name time-name sample-efficiency-name success-rate-name"),
  },
  "run-reports": {
    keys: { ...REPORTS, ...all("text", "group status"), ...all("bool", "number-groups report-rollup") },
  },
  "job-reports": { keys: REPORTS },
  tensorboard: { keys: all("text", "template") },
  "script-launch-prefix": { keys: all("text", "windows linux dsvm azureml philly") },
};

/** Sections that are a set of things with names of the user's, all of one shape. */
export const named: Readonly<Record<string, Shape>> = {
  "compute-targets": target,
  dockers: docker,
  setups: setup,
  boxes: box,
  "azure-batch-images": image,
};

/** Kinds of providers: each is a map of names to Python classes. */
export const providers = ["command", "compute", "hp-search", "storage"];
