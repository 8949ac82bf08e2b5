import { restoreInto, saveAll, type Variant } from '#dialects/iptables.ts'
import type { Kernel } from '#system/ports.ts'
import { canGo, type Leftover, leftoversIn, removal } from './leftovers-iptables.ts'
import { sweepIpvs } from './leftovers-ipvs.ts'
import { TABLE } from './nftables/names.ts'
import {
  NOT_THERE,
  NOTHING,
  PATIENCE_MS,
  type Remnant,
  type Removed,
  type SweepParts,
  type Swept,
  said,
  together,
} from './swept.ts'

// A node → the same node without anything a service proxy has left there, in whatever mode. What cannot go holds up
// nothing else.

export async function sweep(parts: SweepParts): Promise<Swept> {
  const swept: Swept[] = []
  for (const tool of await toolsHere(parts.kernel)) swept.push(await sweepIptables(parts.kernel, tool))
  swept.push(await sweepNft(parts.kernel))
  // Rules hold on to sets, so sets go last.
  swept.push(await sweepIpvs(parts))
  return together(swept)
}

export interface Tool {
  readonly name: string
  readonly variant: Variant
}

/** Both kinds of iptables, because a proxy that was here before may have taken the other one; the plain names where there are no others. */
async function toolsHere(kernel: Kernel): Promise<readonly Tool[]> {
  const perFamily = ['iptables', 'ip6tables'].map(async (plain): Promise<readonly Tool[]> => {
    const named = (['nft', 'legacy'] as const).map(variant => ({ name: `${plain}-${variant}`, variant }))
    const there = await Promise.all(named.map(({ name }) => isThere(kernel, `${name}-save`)))
    const found = named.filter((_, i) => there[i])
    if (found.length > 0) return found
    // Its blocks are made for the kind that wants one.
    return (await isThere(kernel, `${plain}-save`)) ? [{ name: plain, variant: 'legacy' }] : []
  })
  return (await Promise.all(perFamily)).flat()
}

async function isThere(kernel: Kernel, program: string): Promise<boolean> {
  return (await kernel.run({ argv: [program, '--version'] })).code !== NOT_THERE
}

/** Each begins with a look: what a stranger let go of, or took hold of, meanwhile is seen by the next. */
const PASSES = 3

/** One iptables of one family. */
export async function sweepIptables(kernel: Kernel, { name, variant }: Tool): Promise<Swept> {
  let before: readonly Leftover[] | undefined
  let trouble = ''
  for (let pass = 1; ; pass++) {
    const save = await kernel.run(saveAll({ save: `${name}-save` }))
    if (save.code !== 0) return { removed: [], remains: [{ what: `what ${name} may have`, why: said(save) }] }
    const left = leftoversIn(save.stdout)
    before ??= left
    const movable = left.filter(canGo)
    if (movable.length === 0 || pass > PASSES)
      return { removed: difference(name, before, left), remains: remnants(name, left, trouble) }
    for (const leftover of movable) {
      const { code, ...told } = await kernel.run(
        restoreInto({ restore: `${name}-restore` }, removal(leftover, variant)),
      )
      if (code !== 0) trouble = said({ code, ...told })
    }
  }
}

function difference(tool: string, before: readonly Leftover[], after: readonly Leftover[]): readonly Removed[] {
  const sum = (list: readonly Leftover[], what: 'lines' | 'chains') => list.reduce((n, it) => n + it[what].length, 0)
  return [
    { tool, what: 'jumps', count: sum(before, 'lines') - sum(after, 'lines') },
    { tool, what: 'chains', count: sum(before, 'chains') - sum(after, 'chains') },
  ].filter(({ count }) => count > 0)
}

function remnants(tool: string, left: readonly Leftover[], trouble: string): readonly Remnant[] {
  return left.flatMap(({ table, lines, chains }) => [
    ...lines.map(line => ({ what: `${tool}: rule "-A ${line}" in table ${table}`, why: trouble })),
    ...chains.map(({ name, state, heldBy }) => ({
      what: `${tool}: chain ${name} in table ${table}${state === 'empty' ? ', empty' : ''}`,
      why: heldBy === undefined ? trouble : `a rule that is not ours leads there: ${heldBy}`,
    })),
  ])
}

/** The tables of both families. */
export async function sweepNft(kernel: Kernel): Promise<Swept> {
  const before = await ourTables(kernel)
  if ('removed' in before) return before
  if (before.length === 0) return NOTHING
  const outcome = await kernel.run({
    argv: ['nft', '-f', '-'],
    input: before.map(table => `delete table ${table}\n`).join(''),
    timeoutMs: PATIENCE_MS,
  })
  if (outcome.code === 0) return { removed: [{ tool: 'nft', what: 'tables', count: before.length }], remains: [] }
  return { removed: [], remains: before.map(table => ({ what: `nft: table ${table}`, why: said(outcome) })) }
}

async function ourTables(kernel: Kernel): Promise<readonly string[] | Swept> {
  const listing = await kernel.run({ argv: ['nft', 'list', 'tables'] })
  if (listing.code === NOT_THERE) return []
  if (listing.code !== 0) return { removed: [], remains: [{ what: 'what nft may have', why: said(listing) }] }
  return ['ip', 'ip6'].map(family => `${family} ${TABLE}`).filter(table => listing.stdout.includes(`table ${table}\n`))
}
