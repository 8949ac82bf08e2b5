import { KINDS } from '#config/table/kinds.ts'
import { GROUPS, type Setting, verbsOf } from '#config/table/setting.ts'
import { TABLE } from '#config/table/table.ts'
import { VERBS } from '#config/verbs.ts'
import { shownDefault } from './help.ts'

// The settings table → Markdown, for the documentation.

export function settingsTable(): string {
  return Object.entries(GROUPS)
    .flatMap(([group, title]) => [
      `### ${title}`,
      '',
      '| Flag | Field of the file | Type | Default | Modes | Verbs | What it does |',
      '|---|---|---|---|---|---|---|',
      ...TABLE.filter(setting => setting.group === group).map(tableRow),
      '',
    ])
    .join('\n')
}

function tableRow(setting: Setting): string {
  const { flag, short, field, kind, modes } = setting
  const letter = short === undefined ? '' : `\`-${short}\`, `
  const cells = [
    flag === undefined ? '' : `${letter}\`--${flag}\``,
    field === undefined ? '' : `\`${field}\``,
    KINDS[kind].label || 'bool',
    defaultCell(setting),
    modes?.join(', ') ?? 'all',
    verbsCell(setting),
    whatItDoes(setting),
  ]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function verbsCell(setting: Setting): string {
  const verbs = verbsOf(setting)
  return verbs.length === Object.keys(VERBS).length ? 'all' : verbs.join(', ')
}

function defaultCell(setting: Setting): string {
  const text = shownDefault(setting, setting.initial) || (setting.initial === false ? 'false' : '')
  const cell = text === '' ? '' : `\`${text}\``
  if (setting.fileInitial === undefined) return cell
  return `${cell}; in a file \`${KINDS[setting.kind].toText(setting.fileInitial)}\``
}

function whatItDoes({ help, noEffect, deprecated }: Setting): string {
  if (noEffect !== undefined && !help.includes(noEffect)) return `${help} No effect: ${noEffect}.`
  return deprecated === undefined ? help : `${help} Deprecated: use \`${deprecated}\`.`
}
