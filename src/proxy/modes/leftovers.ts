import { askVersion, named, plainlyNamed, programOf, restoreInto, saveAll, type Tools } from '#dialects/iptables.ts'
import { applyLines, LIST_TABLES } from '#dialects/nft.ts'
import { type Kernel, NOT_FOUND } from '#system/ports.ts'
import { FAMILIES } from '#values/address.ts'
import { canGo, type Leftover, leftoversIn, removal } from './leftovers-iptables.ts'
import { removeIpvsLeftovers } from './leftovers-ipvs.ts'
import {
  merged,
  NOTHING,
  PATIENCE_MS,
  type Remaining,
  type RemovalParts,
  type RemovalResult,
  type RemovedCount,
  reasonOf,
} from './leftovers-removal.ts'
import { TABLE } from './nftables/names.ts'

// A node → the same node without the rules, sets and servers a service proxy of any mode has left. What cannot be
// removed does not stop the rest.

export async function removeLeftovers(parts: RemovalParts): Promise<RemovalResult> {
  const results: RemovalResult[] = []
  for (const tool of await toolsHere(parts.kernel)) results.push(await removeIptablesLeftovers(parts.kernel, tool))
  results.push(await removeNftTables(parts.kernel))
  // A set cannot be deleted while a rule uses it, so sets go last.
  results.push(await removeIpvsLeftovers(parts))
  return merged(results)
}

/**
 * Both variants of iptables, because an earlier proxy may have used the other one; the plain names only where these are
 * all.
 */
async function toolsHere(kernel: Kernel): Promise<readonly Tools[]> {
  const perFamily = FAMILIES.map(async (family): Promise<readonly Tools[]> => {
    const both = (['nft', 'legacy'] as const).map(variant => named(family, variant))
    const there = await Promise.all(both.map(tools => isThere(kernel, tools)))
    const found = both.filter((_, i) => there[i])
    if (found.length > 0) return found
    // The variant is unknown: one block for the whole table, which legacy needs and nft accepts.
    const plain = plainlyNamed(family, 'legacy')
    return (await isThere(kernel, plain)) ? [plain] : []
  })
  return (await Promise.all(perFamily)).flat()
}

async function isThere(kernel: Kernel, tools: Tools): Promise<boolean> {
  return (await kernel.run(askVersion(tools, 'save'))).code !== NOT_FOUND
}

/** Each pass begins with iptables-save, and so sees foreign rules that were added or deleted since the last. */
const PASSES = 3

/** For one family and one variant of iptables. */
export async function removeIptablesLeftovers(kernel: Kernel, tools: Tools): Promise<RemovalResult> {
  const name = programOf(tools)
  let before: readonly Leftover[] | undefined
  let failure = ''
  for (let pass = 1; ; pass++) {
    const save = await kernel.run(saveAll(tools))
    if (save.code !== 0) return { removed: [], remains: [{ what: `what ${name} may have`, why: reasonOf(save) }] }
    const left = leftoversIn(save.stdout)
    before ??= left
    const movable = left.filter(canGo)
    if (movable.length === 0 || pass > PASSES)
      return { removed: difference(name, before, left), remains: remaining(name, left, failure) }
    for (const leftover of movable) {
      const outcome = await kernel.run(restoreInto(tools, removal(leftover, tools.variant)))
      if (outcome.code !== 0) failure = reasonOf(outcome)
    }
  }
}

function difference(tool: string, before: readonly Leftover[], after: readonly Leftover[]): readonly RemovedCount[] {
  const sum = (list: readonly Leftover[], what: 'lines' | 'chains') => list.reduce((n, it) => n + it[what].length, 0)
  return [
    { tool, what: 'jumps', count: sum(before, 'lines') - sum(after, 'lines') },
    { tool, what: 'chains', count: sum(before, 'chains') - sum(after, 'chains') },
  ].filter(({ count }) => count > 0)
}

function remaining(tool: string, left: readonly Leftover[], failure: string): readonly Remaining[] {
  return left.flatMap(({ table, lines, chains }) => [
    ...lines.map(line => ({ what: `${tool}: rule "-A ${line}" in table ${table}`, why: failure })),
    ...chains.map(({ name, state, blockedBy }) => ({
      what: `${tool}: chain ${name} in table ${table}${state === 'empty' ? ', empty' : ''}`,
      why: blockedBy === undefined ? failure : `a rule that is not ours leads there: ${blockedBy}`,
    })),
  ])
}

/** The tables of both families. */
export async function removeNftTables(kernel: Kernel): Promise<RemovalResult> {
  const before = await ourTables(kernel)
  if ('removed' in before) return before
  if (before.length === 0) return NOTHING
  const deletion = applyLines(before.map(table => `delete table ${table}`))
  const outcome = await kernel.run({ ...deletion, timeoutMs: PATIENCE_MS })
  if (outcome.code === 0) return { removed: [{ tool: 'nft', what: 'tables', count: before.length }], remains: [] }
  return { removed: [], remains: before.map(table => ({ what: `nft: table ${table}`, why: reasonOf(outcome) })) }
}

async function ourTables(kernel: Kernel): Promise<readonly string[] | RemovalResult> {
  const listing = await kernel.run(LIST_TABLES)
  if (listing.code === NOT_FOUND) return []
  if (listing.code !== 0) return { removed: [], remains: [{ what: 'what nft may have', why: reasonOf(listing) }] }
  return ['ip', 'ip6'].map(family => `${family} ${TABLE}`).filter(table => listing.stdout.includes(`table ${table}\n`))
}
