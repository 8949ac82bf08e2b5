import type { Command } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { FAMILY_WORDS } from './nft.ts'

// What `nft -j` prints → the elements and rules that have a comment, and how to delete them.

/** Fails where it is absent. */
export function listMap(family: Family, table: string, map: string): Command {
  return { does: 'look', family, argv: ['nft', '-j', 'list', 'map', FAMILY_WORDS[family].ip, table, map] }
}

/** Fails where it is absent. */
export function listChainAsJson(family: 'inet' | 'bridge', table: string, chain: string): Command {
  return { does: 'look', argv: ['nft', '-j', 'list', 'chain', family, table, chain] }
}

/** Every table of one family. */
export function listRuleset(family: 'bridge'): Command {
  return { does: 'look', argv: ['nft', '-j', 'list', 'ruleset', family] }
}

export interface CommentedElement {
  readonly table: string
  /** A set or a map. */
  readonly set: string
  /** As it is deleted by: the parts of a concatenation have dots between them. */
  readonly key: string
  /** In a map of verdicts, the chain it leads to. */
  readonly target?: string
  readonly comment: string
}

export interface CommentedRule {
  readonly table: string
  readonly chain: string
  readonly handle: number
  readonly comment: string
}

export interface Commented {
  readonly elements: readonly CommentedElement[]
  readonly rules: readonly CommentedRule[]
  /** Names of chains, with their table in front: `nat PREROUTING`. */
  readonly chains: ReadonlySet<string>
}

export function commentedIn(json: string): Commented {
  const { nftables = [] } = JSON.parse(json === '' ? '{}' : json) as { readonly nftables?: readonly ListedObject[] }
  return {
    elements: nftables.flatMap(({ set, map }) => elementsOf(set ?? map)),
    rules: nftables.flatMap(({ rule }) => (rule?.comment === undefined ? [] : [rule as CommentedRule])),
    chains: new Set(nftables.flatMap(({ chain }) => (chain === undefined ? [] : [`${chain.table} ${chain.name}`]))),
  }
}

interface ListedObject {
  readonly set?: CommentedSet
  readonly map?: CommentedSet
  readonly chain?: { readonly table: string; readonly name: string }
  readonly rule?: Omit<CommentedRule, 'comment'> & { readonly comment?: string }
}

interface CommentedSet {
  readonly table: string
  readonly name: string
  readonly elem?: readonly (SetKey | readonly [SetKey, SetVerdict])[]
}

/** A key without a comment stands as itself. */
type SetKey =
  | string
  | { readonly elem?: { readonly val: string | { readonly concat: readonly string[] }; readonly comment?: string } }

interface SetVerdict {
  readonly goto?: { readonly target: string }
}

function elementsOf(set: CommentedSet | undefined): readonly CommentedElement[] {
  return (set?.elem ?? []).flatMap(item => {
    const [key, verdict] = isPair(item) ? item : [item, undefined]
    const found = typeof key === 'string' ? undefined : key.elem
    if (set === undefined || found?.comment === undefined) return []
    const target = verdict?.goto?.target
    return [
      {
        table: set.table,
        set: set.name,
        key: typeof found.val === 'string' ? found.val : found.val.concat.join(' . '),
        ...(target !== undefined && { target }),
        comment: found.comment,
      },
    ]
  })
}

function isPair(item: SetKey | readonly [SetKey, SetVerdict]): item is readonly [SetKey, SetVerdict] {
  return Array.isArray(item)
}
