/** Callers whom AWS knows: the gateway has checked the signature, and says which principal made it. */

export interface Identity {
  /** As STS tells it, such as `arn:aws:sts::123456789012:assumed-role/muster-host/i-0abc`. */
  readonly arn: string;
  readonly account: string;
  /** Address that the request came from. */
  readonly from?: string;
}

/** Whom a deployment believes. */
export interface Trust {
  readonly account: string;
  /** Name of the role that hosts have. */
  readonly hostRole: string;
}

/**
 * The machine that calls: EC2 names the session of an instance's role after the instance.
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html)
 * @returns undefined for anybody else.
 */
export function machineOf(trust: Trust, identity: Identity): string | undefined {
  const session = sessionOf(trust, identity);
  return session !== undefined && /^i-[0-9a-f]{8,17}$/.test(session) ? session : undefined;
}

/** Whether the caller has the role of hosts, as every job on them may have. */
export const isHost = (trust: Trust, identity: Identity): boolean => sessionOf(trust, identity) !== undefined;

function sessionOf(trust: Trust, { arn, account }: Identity): string | undefined {
  const match = /^arn:aws[a-z-]*:sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/([\w+=,.@-]+)$/.exec(arn);
  const isOurs = match?.[1] === trust.account && account === trust.account && match[2] === trust.hostRole;
  return isOurs ? match[3] : undefined;
}
