/** The name of a task as a part of a variable's: two tasks whose names differ less than that cannot be told apart. */
export const variableOf = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
