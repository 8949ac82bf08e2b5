import { type Cidr, parseCidr } from '#values/cidr.ts'
import { type BlockHolder, type BlockRecord, recordFaults } from './block-record.ts'

// A record ⇄ the text in which it is stored: a line for each node, so that `kubectl get -o yaml` shows a table, and 5,000
// nodes of two families are far below the size that an object may have.

export function recordText({ holders, last, revision }: BlockRecord): string {
  return [`revision ${revision}`, `last ${listText(last)}`, ...holders.map(holderText), ''].join('\n')
}

/** A text says what is wrong with it, and where. */
export function recordOf(text: string): BlockRecord | string {
  const lines = text.split('\n')
  const revision = /^revision (\d{1,15})$/.exec(lines[0] ?? '')?.[1]
  if (revision === undefined) return wrong(lines, 0, 'revision and a number')
  const last = listOf(/^last (\S+)$/.exec(lines[1] ?? '')?.[1])
  if (last === undefined) return wrong(lines, 1, 'last and the blocks that were given last')
  if (lines.at(-1) !== '') return wrong(lines, lines.length - 1, 'the end: a part of the text is missing')
  const holders: BlockHolder[] = []
  for (const [i, line] of lines.slice(2, -1).entries()) {
    const holder = holderOf(line)
    if (holder === undefined) return wrong(lines, i + 2, "a node's name, uid and blocks")
    holders.push(holder)
  }
  const record = { holders, last, revision: Number(revision) }
  return recordFaults(record)[0] ?? record
}

const GONE = 'gone-since='

function holderText({ name, uid, blocks, goneSince, contested }: BlockHolder): string {
  const gone = goneSince === undefined ? [] : [`${GONE}${new Date(goneSince).toISOString()}`]
  return [name, uid, listText(blocks), ...gone, ...(contested ? ['contested'] : [])].join(' ')
}

function holderOf(line: string): BlockHolder | undefined {
  const [name = '', uid = '', list, ...rest] = line.split(' ')
  const blocks = listOf(list)
  const gone = rest[0]?.startsWith(GONE) ? Date.parse(rest.shift()!.slice(GONE.length)) : undefined
  const contested = rest[0] === 'contested' && rest.shift() !== undefined
  if (name === '' || uid === '' || blocks === undefined || blocks.length === 0) return undefined
  if (rest.length > 0 || Number.isNaN(gone)) return undefined
  return { name, uid, blocks, ...(gone !== undefined && { goneSince: gone }), ...(contested && { contested }) }
}

function listText(ranges: readonly Cidr[]): string {
  return ranges.length === 0 ? '-' : ranges.join(',')
}

function listOf(text: string | undefined): readonly Cidr[] | undefined {
  if (text === '-') return []
  const parts = text?.split(',') ?? []
  const ranges = parts.map(parseCidr).filter((range, i) => range === parts[i]) as Cidr[]
  return parts.length === 0 || ranges.length < parts.length ? undefined : ranges
}

function wrong(lines: readonly string[], at: number, right: string): string {
  return `line ${at + 1}: ${JSON.stringify(lines[at] ?? '')} is not ${right}`
}
