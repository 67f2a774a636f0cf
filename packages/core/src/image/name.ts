/** How a task says that its machines start from an image that Muster has saved: `image_id: muster:NAME`. */
import type { Choice, Saved } from "../task/resources.ts";

const FORM = /^muster:/i;

/** The name, or the id, where the image is a saved one. */
export const nameOf = (image: string | undefined): string | undefined =>
  image !== undefined && FORM.test(image) ? image.replace(FORM, "").trim() : undefined;

/** The saved image that this machine starts from; what was said of another one, for all choices, is not of this. */
export function savedOf({ image, saved }: Pick<Partial<Choice>, "image" | "saved">): Saved | undefined {
  const name = nameOf(image);
  if (name === undefined || saved === undefined) return undefined;
  return name === saved.id || name.toLowerCase() === saved.name.toLowerCase() ? saved : undefined;
}
