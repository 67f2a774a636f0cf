/** The most members that one pool keeps. */
export const MOST = 100;
