// What is wrong with a configuration's ranges, where it stands, and what would be right.

export interface RangeProblem {
  /** `ipam.ranges[0][1].subnet`. */
  readonly path: string
  /** As it was written; absent where nothing was. */
  readonly value?: unknown
  /** The sentence of the reference plugin, which logs and dashboards look for. */
  readonly text: string
  readonly hint: string
}
