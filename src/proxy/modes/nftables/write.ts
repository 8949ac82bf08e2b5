import { applyLines, braces, FAMILY_WORDS, isHookLine } from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import type { Command } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { type Kind, TABLE, TABLE_UNIT, unitParts } from './names.ts'

// A plan → one transaction, but for what a large one sends ahead, in an order in which nothing dangles: what is led to
// stands before what leads there, and goes after it.

/**
 * From 6.2 on a kernel lets go of a chain in the very transaction that takes away the last way to it. Earlier ones do
 * so a moment later, and refuse a transaction that would delete it before. There such a chain is only emptied; whoever
 * reads the table next finds it empty, and a plan that does nothing but remove chains may delete them.
 */
export type ChainRemoval = 'at-once' | 'when-forgotten'

export interface Manner {
  readonly family: Family
  readonly chainRemoval: ChainRemoval
}

export function write(plan: Plan, manner: Manner): readonly Command[] {
  const table = `${FAMILY_WORDS[manner.family].ip} ${TABLE}`
  if (plan.remove.has(TABLE_UNIT)) return [applyLines([`delete table ${table}`], manner.family)]
  return parts(plan)
    .map(part => transaction(part, manner, table))
    .filter(lines => lines.length > 0)
    .map(lines => applyLines(lines, manner.family))
}

/**
 * Where anybody listens, `nft monitor` for one, the kernel keeps a page for each element until a transaction ends: half a
 * gigabyte for a hundred thousand of them. Endpoints that are added can go ahead in pieces, for nothing leads to them yet.
 */
const ELEMENTS_AHEAD = 20_000

function parts(plan: Plan): readonly Plan[] {
  const isAhead = (unit: Unit): boolean => AHEAD.test(unit)
  const ahead =
    plan.add.size > ELEMENTS_AHEAD && !plan.change.has(TABLE_UNIT) ? [...plan.add].filter(([u]) => isAhead(u)) : []
  if (ahead.length <= ELEMENTS_AHEAD) return [plan]
  const stands = [...plan.add].filter(([unit]) => unit === TABLE_UNIT || unit.startsWith('map '))
  const first = new Set(stands.map(([unit]) => unit))
  const only = (add: Plan['add']): Plan => ({ add, change: new Map(), remove: new Set() })
  const pieces: Plan[] = [only(new Map(stands))]
  for (let i = 0; i < ahead.length; i += ELEMENTS_AHEAD) {
    pieces.push(only(new Map(ahead.slice(i, i + ELEMENTS_AHEAD))))
  }
  return [...pieces, { ...plan, add: new Map([...plan.add].filter(([unit]) => !first.has(unit) && !isAhead(unit))) }]
}

const AHEAD = /^element (?:nodeport-)?endpoints-/

/** The chains of a plan that must wait for the kernel to forget who led to them. */
export function emptied(plan: Plan, manner: Manner): ReadonlySet<Unit> {
  if (plan.remove.has(TABLE_UNIT) || deletesChains(plan, manner)) return new Set()
  return new Set(sorted(plan.remove).chain.map(({ unit }) => unit))
}

function deletesChains({ change, remove }: Plan, { chainRemoval }: Manner): boolean {
  return chainRemoval === 'at-once' || (change.size === 0 && sorted(remove).chain.length === remove.size)
}

/** `table` with its family. */
export function transaction(plan: Plan, manner: Manner, table: string): readonly string[] {
  const textOf = (unit: Unit): string => plan.add.get(unit) ?? plan.change.get(unit)!
  const make = sorted([...plan.add.keys(), ...plan.change.keys()])
  const changed = sorted(plan.change.keys())
  const gone = sorted(plan.remove)
  const about: About = { table, textOf }
  return [
    ...changed.table.map(() => `delete table ${table}`),
    ...make.table.map(() => `add table ${table}`),
    ...[...make.set, ...make.map].map(({ unit, kind, name }) => `add ${kind} ${table} ${name} { ${textOf(unit)} ; }`),
    ...chains(about, make.chain, new Set(changed.chain.map(({ name }) => name))),
    ...elements('delete', about, [...changed.element, ...gone.element]),
    ...elements('add', about, make.element),
    ...gone.chain.map(({ name }) => `flush chain ${table} ${name}`),
    ...(deletesChains(plan, manner) ? gone.chain.map(({ name }) => `delete chain ${table} ${name}`) : []),
    ...[...gone.set, ...gone.map].map(({ kind, name }) => `delete ${kind} ${table} ${name}`),
  ]
}

interface About {
  /** With its family. */
  readonly table: string
  readonly textOf: (unit: Unit) => string
}

interface Named {
  readonly unit: Unit
  readonly kind: Kind
  readonly name: string
}

/** Of elements there may be hundreds of thousands: they stay the strings they are. */
interface Sorted extends Readonly<Record<Exclude<Kind, 'element'>, readonly Named[]>> {
  readonly element: readonly Unit[]
}

function sorted(units: Iterable<Unit>): Sorted {
  const element: Unit[] = []
  const named = { table: [], set: [], map: [], chain: [] } as Record<Exclude<Kind, 'element'>, Named[]>
  for (const unit of [...units].sort()) {
    const { kind, name } = unitParts(unit)
    if (kind === 'element') element.push(unit)
    else named[kind].push({ unit, kind, name })
  }
  return { ...named, element }
}

/** All chains stand before the first rule that may lead to one of them. */
function chains({ table, textOf }: About, pieces: readonly Named[], changed: ReadonlySet<string>): readonly string[] {
  const stand: string[] = []
  const rules: string[] = []
  for (const { unit, name } of pieces) {
    const lines = textOf(unit).split('\n')
    const hook = isHookLine(lines[0]!) ? lines.shift() : undefined
    // A hook cannot be changed where it stands. Any other chain may stand empty, left over from an earlier time.
    if (hook === undefined) stand.push(`add chain ${table} ${name}`, `flush chain ${table} ${name}`)
    else
      stand.push(
        ...(changed.has(name) ? [`delete chain ${table} ${name}`] : []),
        `add chain ${table} ${name} { ${hook} ; }`,
      )
    for (const line of lines) if (line !== '') rules.push(`add rule ${table} ${name} ${line}`)
  }
  return [...stand, ...rules]
}

const ELEMENTS_PER_LINE = 1000

/** An element cannot be changed where it stands: it is deleted and added, and in between nobody looks. */
function elements(verb: 'add' | 'delete', { table, textOf }: About, units: readonly Unit[]): readonly string[] {
  const containers = new Map<string, string[]>()
  for (const unit of units) {
    const { name, key } = unitParts(unit)
    const items = containers.get(name) ?? []
    containers.set(name, items)
    items.push(verb === 'delete' ? key : rule(key, textOf(unit) || undefined))
  }
  return [...containers].flatMap(([name, items]) => {
    const lines: string[] = []
    for (let i = 0; i < items.length; i += ELEMENTS_PER_LINE) {
      lines.push(`${verb} element ${table} ${name} ${braces(items.slice(i, i + ELEMENTS_PER_LINE))}`)
    }
    return lines
  })
}
