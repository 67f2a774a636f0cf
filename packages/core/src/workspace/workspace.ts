/** Workspaces: tenants. The embedded control plane has one, and a deployment begins with one. */
export const LOCAL = "local";
export const FIRST = "main";
