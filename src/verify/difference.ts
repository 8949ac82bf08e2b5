// What a node has and should not have, lacks, or has otherwise than it should: one thing, and what it means for traffic.

export interface NodeDifference {
  readonly kind: DifferenceKind
  readonly part: 'services' | 'routes' | 'leases' | 'attachments' | 'rules of pods'
  /** `IPv4 nat KUBE-SVC-…`, `route 10.244.2.0/24`, `pod default/web-1` */
  readonly unit: string
  /** Service ports, a node or a pod; empty where it is the node's own. */
  readonly owners: readonly string[]
  readonly found: readonly string[]
  readonly wanted: readonly string[]
  /** Lines that are the same in both. */
  readonly alike: number
  /** What it means for traffic. */
  readonly means: string
}

export type DifferenceKind =
  | 'missing'
  | 'extra'
  | 'different'
  /** The kernel takes it from no program. */
  | 'refused'

/** What a repair has done about one. */
export interface Mended {
  readonly unit: string
  readonly outcome: 'mended' | 'left'
  readonly why?: string
}

/** Lines that both have are counted; where both have the same lines in another order, all are shown. */
export function bothTexts(found: string, wanted: string): Pick<NodeDifference, 'found' | 'wanted' | 'alike'> {
  const [here, due] = [linesOf(found), linesOf(wanted)]
  const [inKernel, inWanted] = [new Set(here), new Set(due)]
  const [onlyHere, onlyDue] = [here.filter(line => !inWanted.has(line)), due.filter(line => !inKernel.has(line))]
  if (onlyHere.length + onlyDue.length === 0) return { found: here, wanted: due, alike: 0 }
  return { found: onlyHere, wanted: onlyDue, alike: due.length - onlyDue.length }
}

export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter(line => line !== '')
}
