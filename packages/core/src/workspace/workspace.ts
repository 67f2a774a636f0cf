/** Workspaces: tenants. The embedded control plane has one. */
export const LOCAL = "local";
