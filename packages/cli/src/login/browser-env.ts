/** Whether there is a browser here. Apart from what opens it, which is large. */

/** Whether a browser could come up where somebody sees it. */
export function canBrowse(env: NodeJS.ProcessEnv): boolean {
  if (env.BROWSER) return true;
  if (env.SSH_CONNECTION || env.SSH_TTY) return false;
  if (process.platform === "darwin" || process.platform === "win32") return true;
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}
