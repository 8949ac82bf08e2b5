// Text → lines with what is indented beneath them: the shape of a story.

export interface Line {
  /** `fixtures/stories/hairpin.story:12` */
  readonly where: string
  readonly text: string
  /** What stands beneath, deeper than the line itself. */
  readonly children: readonly Line[]
  /** The same as it was written, without the common indentation: for YAML. */
  readonly block: string
}

/** A story that cannot be understood; the message starts with the file and the line. */
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

/** Blank lines and lines that start with `#` say nothing, except inside YAML. */
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
    if (isSilent(raw)) continue
    const start = at
    while (at < raws.length && (raws[at]!.indent > raw.indent || raws[at]!.text === '')) at++
    const beneath = raws.slice(start, at)
    const where = `${file}:${raw.number}`
    const first = beneath.find(line => !isSilent(line))
    const odd = beneath.find(line => !isSilent(line) && line.indent < first!.indent)
    if (odd !== undefined) throw new StoryError({ where: `${file}:${odd.number}` }, 'stands between two depths')
    found.push({ where, text: raw.text, children: tree(file, beneath), block: dedented(beneath, first?.indent ?? 0) })
  }
  return found
}

function isSilent({ text }: Raw): boolean {
  return text === '' || text.startsWith('#')
}

function dedented(raws: readonly Raw[], indent: number): string {
  return raws.map(({ written }) => written.slice(indent)).join('\n')
}
