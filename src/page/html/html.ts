// Text with holes → HTML. A hole escapes what stands in it, whatever it is; only HTML that was made here goes in as it is.

export class Html {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  /** Only `html` makes HTML from text. */
  static of(strings: TemplateStringsArray, holes: readonly Hole[]): Html {
    let text = strings[0]!
    holes.forEach((hole, i) => {
      text += textOf(hole) + strings[i + 1]!
    })
    return new Html(text)
  }

  toString(): string {
    return this.#text
  }
}

/** Absent and false leave nothing, so that a condition stands where its text would stand. */
export type Hole = string | number | bigint | Html | false | undefined | readonly Hole[]

/** Attributes must stand in double quotes: a hole outside of quotes could add attributes of its own. */
export function html(strings: TemplateStringsArray, ...holes: readonly Hole[]): Html {
  return Html.of(strings, holes)
}

function textOf(hole: Hole): string {
  if (hole === undefined || hole === false) return ''
  if (hole instanceof Html) return hole.toString()
  if (typeof hole === 'object') return hole.map(textOf).join('')
  return escaped(String(hole))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character]!)
}
