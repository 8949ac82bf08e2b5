import type { Expression, NftValue, StatementTree } from '#dialects/nft-tree.ts'

// What nft has put into the kernel: tables with chains, sets and maps.

export interface NftTable {
  readonly family: string
  readonly name: string
  readonly handle: number
  readonly chains: Map<string, NftChain>
  /** Sets and maps share their names. */
  readonly sets: Map<string, NftSet>
}

export interface NftChain {
  readonly handle: number
  /** Of a base chain. */
  readonly hook?: { readonly type: string; readonly hook: string; readonly prio: number; readonly policy: string }
  readonly rules: readonly NftRule[]
}

export interface NftRule {
  readonly handle: number
  readonly expr: readonly StatementTree[]
  readonly comment?: string
}

export interface NftSet {
  readonly handle: number
  readonly types: readonly string[]
  /** Of the values, in a map. */
  readonly map?: string
  readonly flags: readonly string[]
  readonly elements: ReadonlyMap<string, NftElement>
}

export interface NftElement {
  readonly key: Expression
  readonly value?: NftValue
  readonly comment?: string
}

export type NftState = ReadonlyMap<string, NftTable>

export function tableKey(family: string, name: string): string {
  return `${family} ${name}`
}

/** Deep enough that a change of the copy is none of the original: rules and sets are replaced and not changed. */
export function copyOfState(state: NftState): Map<string, NftTable> {
  const copied = [...state].map(([key, table]) => {
    return [key, { ...table, chains: new Map(table.chains), sets: new Map(table.sets) }] as const
  })
  return new Map(copied)
}
