/** Names of clusters that were given none. */

/** The name that is made up for the cluster of this id. */
export const madeUp = (id: string): string => `run-${id.slice(-6).toLowerCase()}`;

export const isMadeUp = ({ id, name }: { readonly id: string; readonly name: string }): boolean => name === madeUp(id);
