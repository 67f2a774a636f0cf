/** A person with a browser: follows redirects, keeps cookies, and fills in the forms of pages. */

interface Answers {
  /** Who signs in. */
  readonly login: string;
  /** Pushes the button that says no, at the first form that has one. */
  readonly denies?: boolean;
}

const MOST_STEPS = 20;

export class Browser {
  readonly #cookies = new Map<string, string>();

  /** Goes where the page leads, until there is nothing more to fill in. @returns the last page's text */
  async visit(url: string, answers: Answers): Promise<string> {
    let at = url;
    let response = await this.#go(at);
    for (let step = 0; step < MOST_STEPS; step++) {
      const to = response.headers.get("location");
      if (to !== null) {
        at = new URL(to, at).href;
        response = await this.#go(at);
        continue;
      }
      const page = await response.text();
      const form = formOf(page, answers);
      if (form === undefined) return page;
      at = new URL(form.action, at).href;
      response = await this.#go(at, form.fields);
    }
    throw new Error(`no end of pages, at ${at}`);
  }

  async #go(url: string, fields?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, {
      redirect: "manual",
      headers: cookie === "" ? {} : { cookie },
      ...(fields && { method: "POST", body: fields }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }
}

function formOf(page: string, { login, denies }: Answers) {
  const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(page);
  if (form?.[1] === undefined || !/<form[^>]*method="post"/.test(form[0])) return undefined;
  const fields = new URLSearchParams();
  for (const [input] of (form[2] ?? "").matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1];
    if (name !== undefined) fields.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? login);
  }
  if (denies && fields.has("confirm")) {
    fields.delete("confirm");
    fields.set("abort", "yes");
  }
  return { action: form[1].replaceAll("&amp;", "&"), fields };
}
