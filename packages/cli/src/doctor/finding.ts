/** What a look at one thing found. */

export interface Finding {
  /** Where: `here`, or the provider that the control plane asked. */
  readonly where: string;
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string | undefined;
}

export const good = (name: string, message: string): Finding => ({ where: "here", name, ok: true, message });

export const bad = (name: string, message: string, fix?: string): Finding => ({
  where: "here",
  name,
  ok: false,
  message,
  ...(fix !== undefined && { fix }),
});

/** A failure as a finding. */
export function failed(name: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof Error && "details" in error ? (error.details as { hint?: string }) : {};
  return bad(name, message, details.hint);
}
