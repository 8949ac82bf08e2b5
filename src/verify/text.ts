import type { Mended, NodeDifference } from './difference.ts'

// Differences → lines for a person.

export function differenceText(difference: NodeDifference): string {
  const { kind, unit, owners, found, wanted, alike, means } = difference
  return [
    `${LABELS[kind]} ${unit}${ownerText(owners)}`,
    ...(kind === 'missing' ? labelled('wanted', wanted) : []),
    ...(kind === 'extra' || kind === 'refused' ? labelled('found', found) : []),
    ...(kind === 'different' ? [...labelled('found', found), ...labelled('wanted', wanted)] : []),
    ...(alike > 0 ? [`  ${alike} ${alike === 1 ? 'line is' : 'lines are'} the same`] : []),
    ...(means === '' ? [] : [`  means:  ${means}`]),
  ].join('\n')
}

const LABELS: Readonly<Record<NodeDifference['kind'], string>> = {
  missing: 'missing',
  extra: 'extra  ',
  different: 'differs',
  refused: 'refused',
}

const OWNERS_SHOWN = 3

/** A unit that many Services share is named by none of them. */
function ownerText(owners: readonly string[]): string {
  return owners.length === 0 || owners.length > OWNERS_SHOWN ? '' : `  (${owners.join(', ')})`
}

function labelled(label: string, lines: readonly string[]): readonly string[] {
  const shown = lines.length === 0 ? ['(nothing)'] : lines
  return shown.map(line => `  ${`${label}:`.padEnd(7)} ${line}`)
}

/** `12 differences, 11 of them mended`; empty where there is none. */
export function verifyText(differences: readonly NodeDifference[], mended?: readonly Mended[]): string {
  const shown = differences.map(differenceText)
  const left = (mended ?? []).filter(({ outcome }) => outcome === 'left')
  const count = `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'}`
  const done = mended === undefined ? '' : `, ${mended.length - left.length} mended`
  const lines = left.map(({ unit, why }) => `left    ${unit}: ${why ?? 'it is still there'}`)
  return [...shown, ...lines, `${count}${done}.`].join('\n')
}
