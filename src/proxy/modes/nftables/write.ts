import { applyLines, braces, FAMILY_WORDS, isHookLine } from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { Plan, Unit } from '#proxy/modes/mode.ts'
import type { Command } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { type NftUnitKind, TABLE, TABLE_UNIT, unitParts } from './names.ts'
import { portions } from './portions.ts'

// A plan → one transaction, after those that a large plan sends ahead, in an order in which nothing dangles: a chain or map is
// made before the rules and elements that lead to it, and deleted after them.

/**
 * From 6.2 on, a kernel lets a transaction delete a chain together with the last jump to it. Older kernels drop the reference
 * a moment later, and refuse such a transaction. There the chain is only emptied; the next read of the table finds it, and a
 * plan that does nothing but remove chains may delete it.
 */
export type ChainRemoval = 'at-once' | 'when-forgotten'

export interface NftWriteOptions {
  readonly family: Family
  readonly chainRemoval: ChainRemoval
}

export function write(plan: Plan, options: NftWriteOptions): readonly Command[] {
  const table = `${FAMILY_WORDS[options.family].ip} ${TABLE}`
  if (plan.remove.has(TABLE_UNIT)) return [applyLines([`delete table ${table}`], options.family)]
  return [...portions(plan)]
    .map(portion => transaction(portion, options, table))
    .filter(lines => lines.length > 0)
    .map(lines => applyLines(lines, options.family))
}

/** The chains of a plan that can only be emptied: the kernel still counts the jumps that led to them. */
export function emptied(plan: Plan, options: NftWriteOptions): ReadonlySet<Unit> {
  if (plan.remove.has(TABLE_UNIT) || deletesChains(plan, options)) return new Set()
  return new Set(sorted(plan.remove).chain.map(({ unit }) => unit))
}

function deletesChains({ change, remove }: Plan, { chainRemoval }: NftWriteOptions): boolean {
  return chainRemoval === 'at-once' || (change.size === 0 && sorted(remove).chain.length === remove.size)
}

/** `table` with its family. */
export function transaction(plan: Plan, options: NftWriteOptions, table: string): readonly string[] {
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
    ...(deletesChains(plan, options) ? gone.chain.map(({ name }) => `delete chain ${table} ${name}`) : []),
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
  readonly kind: NftUnitKind
  readonly name: string
}

/** Elements stay strings, for there may be hundreds of thousands. */
interface Sorted extends Readonly<Record<Exclude<NftUnitKind, 'element'>, readonly Named[]>> {
  readonly element: readonly Unit[]
}

function sorted(units: Iterable<Unit>): Sorted {
  const element: Unit[] = []
  const named = { table: [], set: [], map: [], chain: [] } as Record<Exclude<NftUnitKind, 'element'>, Named[]>
  for (const unit of [...units].sort()) {
    const { kind, name } = unitParts(unit)
    if (kind === 'element') element.push(unit)
    else named[kind].push({ unit, kind, name })
  }
  return { ...named, element }
}

/** All chains are made before the first rule that may jump to one of them. */
function chains({ table, textOf }: About, pieces: readonly Named[], changed: ReadonlySet<string>): readonly string[] {
  const stand: string[] = []
  const rules: string[] = []
  for (const { unit, name } of pieces) {
    const lines = textOf(unit).split('\n')
    const hook = isHookLine(lines[0]!) ? lines.shift() : undefined
    // The hook of a base chain cannot be changed: the chain is made anew. Any other chain may be there, emptied by an earlier plan.
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

/** An element cannot be changed: it is deleted and added, in one transaction, so that no packet meets the time between. */
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
