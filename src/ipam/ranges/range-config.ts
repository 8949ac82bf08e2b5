import { decodedRange } from './decoded-range.ts'
import { valueAt } from './folded-key.ts'
import { meet, rangesText } from './range-bounds.ts'
import type { RangeProblem } from './range-problem.ts'
import type { AddressRange, RangeSet } from './range-set.ts'

// host-local's keys for ranges → range sets, or all that is wrong with them.

export interface RangeKeys {
  /** The configuration's `ipam`: `ranges`, and the older `subnet`, `rangeStart`, `rangeEnd`, `gateway` beside it. */
  readonly ipam: Readonly<Record<string, unknown>>
  /** Of `runtimeConfig`, in the shape of `ranges`. */
  readonly ipRanges?: unknown
}

export type DecodedRanges =
  | { readonly ok: true; readonly sets: readonly RangeSet[] }
  | { readonly ok: false; readonly problems: readonly RangeProblem[] }

const SHAPE = 'write a list of lists, as [[{"subnet": "10.244.1.0/24"}]]'
const OLDER_KEYS = ['rangeStart', 'rangeEnd', 'gateway']

/** Sets of the runtime come first, then the older keys' one, then `ranges`: a lease says the number of its set. */
export function rangeSets({ ipam, ipRanges }: RangeKeys): DecodedRanges {
  const problems: RangeProblem[] = []
  const written = [
    ...lists(ipRanges, 'runtimeConfig.ipRanges', problems),
    ...olderKeys(ipam, problems),
    ...lists(valueAt(ipam, 'ranges'), 'ipam.ranges', problems),
  ]
  const sets = written.map((set, index) => decodedSet(set, index, problems))
  if (problems.length === 0 && sets.length === 0) {
    problems.push({
      path: 'ipam.ranges',
      text: 'no IP ranges specified',
      hint: 'write "subnet": "10.244.1.0/24", or ranges',
    })
  }
  if (problems.length > 0) return { ok: false, problems }
  const complete = sets as readonly RangeSet[]
  const meeting = meetingSets(complete, written)
  return meeting.length > 0 ? { ok: false, problems: meeting } : { ok: true, sets: complete }
}

interface WrittenSet {
  readonly path: string
  readonly ranges: readonly { readonly path: string; readonly value: unknown }[]
}

function lists(value: unknown, path: string, problems: RangeProblem[]): readonly WrittenSet[] {
  if (!isWritten(value)) return []
  if (!Array.isArray(value)) {
    problems.push({ path, value, text: `${path} is not a list of range sets`, hint: SHAPE })
    return []
  }
  return value.flatMap((set: unknown, i) => {
    const at = `${path}[${i}]`
    if (Array.isArray(set))
      return [{ path: at, ranges: set.map((range, j) => ({ path: `${at}[${j}]`, value: range })) }]
    problems.push({ path: at, value: set, text: `${at} is not a list of ranges`, hint: SHAPE })
    return []
  })
}

function olderKeys(ipam: RangeKeys['ipam'], problems: RangeProblem[]): readonly WrittenSet[] {
  if (isWritten(valueAt(ipam, 'subnet'))) {
    return [{ path: 'ipam', ranges: [{ path: 'ipam', value: ipam }] }]
  }
  // The reference plugin ignores these without a subnet, and gives addresses that the author had shut out.
  for (const key of OLDER_KEYS.filter(key => isWritten(valueAt(ipam, key)))) {
    problems.push({
      path: `ipam.${key}`,
      value: valueAt(ipam, key),
      text: !isWritten(valueAt(ipam, 'ranges')) ? 'no IP ranges specified' : `ipam.${key} has no subnet beside it`,
      hint: 'write "subnet" beside it, or move it to its range in "ranges"',
    })
  }
  return []
}

function isWritten(value: unknown): boolean {
  return value !== undefined && value !== null
}

function decodedSet(set: WrittenSet, index: number, problems: RangeProblem[]): RangeSet | undefined {
  const wrong = (problem: RangeProblem) =>
    problems.push({ ...problem, text: `invalid range set ${index}: ${problem.text}` })
  const ranges: AddressRange[] = []
  for (const { path, value } of set.ranges) {
    const decoded = decodedRange(value, path, index)
    if (decoded.ok) ranges.push(decoded.range)
    else problems.push(...decoded.problems)
  }
  if (set.ranges.length === 0) wrong({ path: set.path, text: 'empty range set', hint: 'write at least one subnet' })
  for (const problem of disagreements(ranges, set.path)) wrong(problem)
  const [first, ...others] = ranges
  return first && [first, ...others]
}

/** All of one family, and no two with an address in common. */
function disagreements(ranges: readonly AddressRange[], path: string): readonly RangeProblem[] {
  const [first, ...others] = ranges
  if (first && others.some(({ subnet }) => subnet.includes(':') !== first.subnet.includes(':'))) {
    return [{ path, text: 'mixed address families', hint: 'give each family a range set of its own' }]
  }
  return ranges.flatMap((a, i) =>
    ranges.slice(i + 1).flatMap(b =>
      meet(a, b)
        ? [
            {
              path,
              text: `subnets ${rangesText([a])} and ${rangesText([b])} overlap`,
              hint: 'give each range addresses of its own',
            },
          ]
        : [],
    ),
  )
}

function meetingSets(sets: readonly RangeSet[], written: readonly WrittenSet[]): readonly RangeProblem[] {
  return sets.flatMap((set, i) =>
    sets.slice(i + 1).flatMap((other, k) => {
      const j = i + 1 + k
      if (!set.some(a => other.some(b => meet(a, b)))) return []
      const hint = `${written[i]!.path} and ${written[j]!.path} have addresses in common: one address would be given twice`
      return [{ path: written[j]!.path, text: `range set ${i} overlaps with ${j}`, hint }]
    }),
  )
}
