// Text → lines, each with the lines indented under it: the shape of a story.

export interface Line {
  /** `fixtures/stories/hairpin.story:12` */
  readonly where: string
  readonly text: string
  /** The lines under it, indented deeper. */
  readonly children: readonly Line[]
  /** The same lines as written, without the common indentation: for YAML. */
  readonly block: string
}

/** A story that cannot be parsed; the message starts with file and line. */
export class StoryError extends Error {
  constructor({ where }: Pick<Line, 'where'>, message: string) {
    super(`${where}: ${message}`)
    this.name = 'StoryError'
  }
}

interface Raw {
  readonly number: number
  readonly indent: number
  readonly text: string
  readonly written: string
}

/** Blank lines and lines that start with `#` are skipped, except inside YAML. */
export function linesOf(file: string, text: string): readonly Line[] {
  const raws = text.split('\n').map((written, i): Raw => {
    const trimmed = written.trim()
    return { number: i + 1, indent: written.length - written.trimStart().length, text: trimmed, written }
  })
  return tree(file, raws)
}

function tree(file: string, raws: readonly Raw[]): readonly Line[] {
  const found: Line[] = []
  let at = 0
  while (at < raws.length) {
    const raw = raws[at]!
    at++
    if (isSkipped(raw)) continue
    const start = at
    while (at < raws.length && (raws[at]!.indent > raw.indent || raws[at]!.text === '')) at++
    const beneath = raws.slice(start, at)
    const where = `${file}:${raw.number}`
    const first = beneath.find(line => !isSkipped(line))
    const odd = beneath.find(line => !isSkipped(line) && line.indent < first!.indent)
    if (odd !== undefined) throw new StoryError({ where: `${file}:${odd.number}` }, 'stands between two depths')
    found.push({ where, text: raw.text, children: tree(file, beneath), block: dedented(beneath, first?.indent ?? 0) })
  }
  return found
}

function isSkipped({ text }: Raw): boolean {
  return text === '' || text.startsWith('#')
}

function dedented(raws: readonly Raw[], indent: number): string {
  return raws.map(({ written }) => written.slice(indent)).join('\n')
}
