/** HTML by template: everything that is put in is escaped, unless it is HTML already. */

export class Html {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  toString(): string {
    return this.#source;
  }
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? "");

type Value = string | Html | undefined;

const toSource = (value: Value): string =>
  value instanceof Html ? value.toString() : escapeHtml(value ?? "");

export const html = (template: TemplateStringsArray, ...values: Value[]): Html =>
  new Html(template.reduce((source, part, index) => source + toSource(values[index - 1]) + part));

export const join = (parts: readonly Html[]): Html => new Html(parts.join("\n"));

/** HTML that another maker wrote and escaped. */
export const trusted = (source: string): Html => new Html(source);
