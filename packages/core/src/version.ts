/** The version of the whole system: API, agent and CLI are released together. */
export const VERSION = "0.1.0";
