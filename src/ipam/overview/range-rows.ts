import type { FillEstimate } from './fill-estimate.ts'

// One line of the table: a range, or a part of one, and how much of it is taken.

export interface RangeRow {
  readonly kind: 'cluster' | 'node' | 'ring' | 'peer' | 'services' | 'node-ports' | 'band'
  /** Of a node or peer its name. */
  readonly name: string
  readonly range: string
  /** What is counted: `pods`, `/24 for nodes`. */
  readonly unit: string
  readonly size: bigint
  /** Undefined where it could not be found out. */
  readonly used: bigint | undefined
  readonly free: bigint | undefined
  readonly largestFree: string | undefined
  readonly full: FillEstimate | undefined
  readonly from?: string
  readonly isGuess?: true
}
