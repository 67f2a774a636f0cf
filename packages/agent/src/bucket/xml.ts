/**
 * Reads the XML that S3 and its likes answer with: elements, text, the five named entities, numbers of characters, CDATA.
 * A document type is refused, since nothing that S3 sends has one and all that is dangerous in XML begins there.
 */

export interface Element {
  readonly name: string;
  readonly children: readonly Element[];
  /** All text directly within it. */
  readonly text: string;
}

interface Open {
  readonly name: string;
  readonly children: Element[];
  text: string;
}

/** What stands next: a comment or declaration, CDATA, a tag, or text. A tag's name is looked at once, however long it is. */
const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([^\s<>/!?]+)(?=[\s/>])[^<>]*?(\/?)>|([^<]+)/y;
const ENTITY = /&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|[a-z]+);|&/g;
const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** @throws Error when this is not a whole document of that kind. */
export function parse(text: string): Element {
  const top: Open = { name: "", children: [], text: "" };
  const open = [top];
  TOKEN.lastIndex = text.startsWith("\uFEFF") ? 1 : 0;
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text);
    if (token === null) throw new Error("not XML");
    take(token, open);
  }
  const [root] = top.children;
  if (root === undefined || top.children.length > 1 || open.length > 1 || top.text.trim() !== "")
    throw new Error("not a whole XML document");
  return root;
}

function take(token: RegExpExecArray, open: Open[]): void {
  const [, data, slash, name, empty, plain] = token;
  const inner = open.at(-1);
  if (inner === undefined) throw new Error("not XML: it goes on after its end");
  if (data !== undefined) inner.text += data;
  else if (plain !== undefined) inner.text += decode(plain);
  else if (name !== undefined) tag(open, inner, { name, closes: slash === "/", isEmpty: empty === "/" });
}

function tag(open: Open[], inner: Open, { name, closes, isEmpty }: Tag): void {
  if (closes) {
    if (inner.name !== name || open.length === 1) throw new Error("not XML: tags cross");
    open.pop();
    return;
  }
  const element: Open = { name, children: [], text: "" };
  inner.children.push(element);
  if (!isEmpty) open.push(element);
}

interface Tag {
  readonly name: string;
  readonly closes: boolean;
  readonly isEmpty: boolean;
}

const decode = (text: string): string =>
  text.replace(ENTITY, (whole, name: string | undefined) => {
    const found = name?.startsWith("#") ? numbered(name.slice(1)) : NAMED[name ?? ""];
    if (found === undefined) throw new Error(`not XML: ${whole}`);
    return found;
  });

function numbered(digits: string): string | undefined {
  const code = digits.startsWith("x") ? Number.parseInt(digits.slice(1), 16) : Number(digits);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/** The elements of this name directly within another. */
export const all = (element: Element, name: string): Element[] => element.children.filter(child => child.name === name);

/** The text of the first element of this name directly within another. */
export const textOf = (element: Element, name: string): string | undefined =>
  element.children.find(child => child.name === name)?.text;
