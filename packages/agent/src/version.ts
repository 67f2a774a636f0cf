/** Told to the control plane with the host's facts. */
export const VERSION = "0.1.0";
