/** What the parser makes of YAML text: nodes that know their line, so that every complaint can name it. */
interface Tagged {
  /** A tag that says more than what kind of node it is, such as `!AWSCluster`. Few readers know any. */
  readonly tag?: string;
}

export interface Scalar extends Tagged {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** As written, without quotes. */
  readonly text: string;
  /** Written without quotes and not as a block. */
  readonly plain: boolean;
  readonly line?: number | undefined;
  /** From the command line, where quotes are the shell's: text wherever text is wanted. */
  readonly loose?: boolean;
}

export interface List extends Tagged {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly line?: number | undefined;
}

export interface Entry {
  readonly value: Node;
  /** Line of the key. */
  readonly line?: number | undefined;
}

export interface Mapping extends Tagged {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Entry>;
  readonly line?: number | undefined;
}

export type Node = Scalar | List | Mapping;

/** The node under a path of keys, if each of them is there. */
export function find(root: Node, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>(
    (node, key) => (node?.kind === "map" ? node.entries.get(key)?.value : undefined),
    root,
  );
}

export const isNull = (node: Node): boolean => node.kind === "scalar" && node.value === null;

/** `a.b`; an empty key is shown as it would be written. */
export function join(base: string, key: string): string {
  const shown = key === "" ? '""' : key;
  return base === "" ? shown : `${base}.${shown}`;
}

/** `a.1`, as it is typed in an override; of a list that is the whole file, `[1]`. */
export const itemOf = (base: string, index: number): string => (base === "" ? `[${index}]` : `${base}.${index}`);
