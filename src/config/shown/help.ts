import { KINDS, type Value } from '#config/table/kinds.ts'
import { GROUPS, type Setting } from '#config/table/setting.ts'
import { type FlaggedSetting, flagsOf } from '#config/table/table.ts'
import { VERBS, type Verb } from '#config/verbs.ts'

// A verb → the text of its --help.

const WIDTH = 100
const INDENT = 8
/** A space at which no line is broken. */
const UNBROKEN = '\u00a0'

export function helpText(verb: Verb): string {
  const widest = Math.max(...Object.keys(VERBS).map(({ length }) => length))
  const verbs = Object.entries(VERBS).map(([name, { does }]) => `  ${name.padEnd(widest)}  ${does}`)
  const flags = flagsOf(verb).filter(({ deprecated, legacy }) => deprecated === undefined && !legacy)
  const sections = Object.entries(GROUPS).flatMap(([group, title]) => {
    const rows = flags.filter(setting => setting.group === group)
    return rows.length === 0 ? [] : [`${title}:`, ...rows.flatMap(flagLines), '']
  })
  return [
    `Switchyard: ${VERBS[verb].does}.`,
    '',
    ...usageLines(verb),
    '',
    ...commandLines(verb),
    ...(verb === 'run' ? ['Verbs:', ...verbs, ''] : []),
    ...sections,
  ].join('\n')
}

/** What to print below a mistyped command line: where to look, not everything there is. */
export function usageText(verb: Verb): string {
  const help = ['switchyard', ...(verb === 'run' ? [] : [verb]), '--help'].join(' ')
  return [...usageLines(verb), `Run "${help}" for all flags.`, ''].join('\n')
}

function usageLines(verb: Verb): readonly string[] {
  const words = ['switchyard', ...(verb === 'run' ? ['[run]'] : [verb]), ...VERBS[verb].operands, '[flags]']
  return ['Usage:', `  ${words.join(' ')}`]
}

function commandLines(verb: Verb): readonly string[] {
  const commands = Object.entries(VERBS[verb].commands ?? {})
  const width = Math.max(0, ...commands.map(([words]) => words.length))
  const lines = commands.flatMap(([words, does]) =>
    wrapped(does, width + 4).map((line, index) => `  ${(index === 0 ? words : '').padEnd(width)}  ${line}`),
  )
  return lines.length === 0 ? [] : ['Commands:', ...lines, '']
}

function flagLines(setting: FlaggedSetting): readonly string[] {
  const letter = setting.short === undefined ? '    ' : `-${setting.short}, `
  const name = `  ${letter}--${setting.flag} ${KINDS[setting.kind].label}`.trimEnd()
  return [name, ...wrapped(`${setting.help}${defaultNote(setting)}`, INDENT).map(line => ' '.repeat(INDENT) + line)]
}

function defaultNote(setting: Setting): string {
  const text = shownDefault(setting, setting.initial)
  return text === '' ? '' : ` (default${UNBROKEN}${text})`
}

/** Empty where the default is nothing at all. */
export function shownDefault({ kind }: Setting, value: Value): string {
  if (value === '' || value === false || (Array.isArray(value) && value.length === 0)) return ''
  const text = KINDS[kind].toText(value)
  return text === 'false' ? '' : text
}

function wrapped(text: string, indent: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - indent) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map(whole => whole.replaceAll(UNBROKEN, ' '))
}
