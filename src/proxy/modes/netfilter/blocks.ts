import { block, type Variant } from '#dialects/iptables.ts'
import type { Table } from './units.ts'

// Pieces of a document → `*table … COMMIT` blocks that can each be applied alone.

/** A part of a document that must stay within one block. */
export interface Piece {
  /** The chain that the block creates or empties. */
  readonly chain?: string
  readonly text: string
}

/**
 * iptables-nft's time for one COMMIT grows with the square of its chains, and each COMMIT costs by the chains already there.
 * (CPU for 11,000 chains: blocks of 60 0.27 s, 200 0.26 s, 450 0.32 s; for 110,000: 110 6.3 s, 220 4.8 s, 550 5.2 s, 1,100
 * 6.7 s.) Legacy writes the whole table at each COMMIT, so there is one. A change of everyday size is one COMMIT too.
 */
const BLOCK = 250

/** A block's chains stand before its rules: where they alternate, iptables-nft takes 10% longer. */
export type Heads = 'first' | 'alternating'

export function blocks(
  table: Table,
  pieces: readonly Piece[],
  { variant, heads = 'first' }: { readonly variant: Variant; readonly heads?: Heads | undefined },
): readonly string[] {
  const size = variant === 'legacy' ? Number.POSITIVE_INFINITY : BLOCK
  const found: string[] = []
  for (let i = 0; i < pieces.length; i += size) found.push(block(table, linesOf(pieces.slice(i, i + size), heads)))
  return found
}

function linesOf(pieces: readonly Piece[], heads: Heads): readonly string[] {
  if (heads === 'alternating') return pieces.flatMap(piece => [...headsOf([piece]), ...textsOf([piece])])
  return [...headsOf(pieces), ...textsOf(pieces)]
}

function headsOf(pieces: readonly Piece[]): readonly string[] {
  return pieces.flatMap(({ chain }) => (chain === undefined ? [] : [emptied(chain)]))
}

function textsOf(pieces: readonly Piece[]): readonly string[] {
  return pieces.map(({ text }) => text).filter(text => text !== '')
}

/** Makes a chain, or empties it. */
export function emptied(chain: string): string {
  return `:${chain} - [0:0]`
}
