import { ADDRESS_BITS, FAMILIES, FAMILY_LABEL, type Family } from '#values/address.ts'
import { type Cidr, cidrFamily, overlaps, parseCidr, prefixLength } from '#values/cidr.ts'

// kube-controller-manager's flags for the ranges of nodes → one range for each family and how it is divided, or what is wrong.

export interface ClusterRangeFlags {
  /** `--cluster-cidr`: one range, or one of each family with a comma between. */
  readonly clusterCidr: string
  /** `--node-cidr-mask-size`. Zero is as good as absent, here and below. */
  readonly nodeMask?: number
  readonly nodeMaskOf?: Partial<Readonly<Record<Family, number>>>
  /** `--service-cluster-ip-range`. */
  readonly serviceRange?: string
}

/** The range of one family, of which each node gets a block. */
export interface ClusterRange {
  readonly range: Cidr
  /** The length of a block's prefix. */
  readonly nodeMask: number
  /** No node gets a block that has addresses of these. */
  readonly excluded: readonly Cidr[]
}

export type DecodedClusterRanges =
  | { readonly ok: true; readonly ranges: readonly ClusterRange[] }
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * A bit stands for each block. IPv6: kube-controller-manager's limit, so that either of the two can take the cluster over.
 * IPv4, where it has none: two megabytes.
 */
const MOST_BITS: Readonly<Record<Family, number>> = { ipv4: 24, ipv6: 16 }
const USUAL_MASK: Readonly<Record<Family, number>> = { ipv4: 24, ipv6: 64 }
/** A block that is smaller has no address for a pod. */
const LONGEST_MASK: Readonly<Record<Family, number>> = { ipv4: 30, ipv6: 126 }

const CLUSTER = '--cluster-cidr'
const SERVICE = '--service-cluster-ip-range'
const MASK = '--node-cidr-mask-size'

export function clusterRanges(flags: ClusterRangeFlags): DecodedClusterRanges {
  const problems: string[] = []
  const cluster = rangesOf(CLUSTER, flags.clusterCidr, problems)
  const excluded = rangesOf(SERVICE, flags.serviceRange ?? '', problems)
  if (flags.clusterCidr.trim() === '') {
    problems.push(`${CLUSTER}: is missing; write a range for the pods of all nodes, such as 10.244.0.0/16`)
  }
  if (problems.length > 0) return { ok: false, problems }

  const conflicts = maskConflicts(flags, cluster.map(cidrFamily))
  if (conflicts.length > 0) return { ok: false, problems: conflicts }
  const ranges = cluster.map(range => {
    const [flag, mask] = maskOf(flags, cidrFamily(range))
    const problem = maskProblem(range, flag, mask)
    if (problem !== undefined) problems.push(problem)
    return { range, nodeMask: mask, excluded: excluded.filter(other => overlaps(range, other)) }
  })
  return problems.length > 0 ? { ok: false, problems } : { ok: true, ranges }
}

function rangesOf(flag: string, text: string, problems: string[]): readonly Cidr[] {
  if (text.trim() === '') return []
  const texts = text.trim().split(',')
  const ranges = texts.map(parseCidr)
  texts.forEach((one, i) => {
    if (ranges[i] === undefined)
      problems.push(`${flag}: "${one}" is not an address range; write it as 10.244.0.0/16 or fd00:10:244::/48`)
  })
  const sound = ranges.filter(range => range !== undefined)
  for (const family of FAMILIES) {
    const same = sound.filter(range => cidrFamily(range) === family)
    if (same.length > 1)
      problems.push(`${flag}: ${same.join(' and ')} are both ${FAMILY_LABEL[family]}; write at most one of each family`)
  }
  return sound
}

/** Which of the mask flags do not go with these families, or with each other. */
function maskConflicts({ nodeMask = 0, nodeMaskOf = {} }: ClusterRangeFlags, families: readonly Family[]): string[] {
  const found: string[] = []
  if (nodeMask !== 0 && families.length > 1) {
    found.push(
      `${MASK}: ${nodeMask} cannot be the mask of two families; write ${maskFlag('ipv4')} and ${maskFlag('ipv6')}`,
    )
  }
  for (const family of FAMILIES) {
    const mask = nodeMaskOf[family] ?? 0
    if (mask === 0) continue
    if (!families.includes(family)) {
      found.push(
        `${maskFlag(family)}: ${mask} is given, but ${CLUSTER} has no ${FAMILY_LABEL[family]} range; add one, or leave the flag out`,
      )
    } else if (nodeMask !== 0 && families.length === 1) {
      found.push(`${maskFlag(family)}: ${mask} is given beside ${MASK}=${nodeMask}; write one of the two`)
    }
  }
  return found
}

function maskOf({ nodeMask = 0, nodeMaskOf = {} }: ClusterRangeFlags, family: Family): readonly [string, number] {
  const own = nodeMaskOf[family] ?? 0
  if (own !== 0) return [maskFlag(family), own]
  return nodeMask === 0 ? [maskFlag(family), USUAL_MASK[family]] : [MASK, nodeMask]
}

function maskProblem(range: Cidr, flag: string, mask: number): string | undefined {
  const family = cidrFamily(range)
  const least = prefixLength(range)
  const most = Math.min(LONGEST_MASK[family], least + MOST_BITS[family])
  if (least > LONGEST_MASK[family])
    return `${CLUSTER}: ${range} has no block for a node; write a range with a mask up to ${LONGEST_MASK[family]}`
  if (Number.isInteger(mask) && least <= mask && mask <= most) return undefined
  const why =
    mask < least ? `a block is larger than ${range}` : mask > most ? `blocks of ${range} are too small or too many` : ''
  return `${flag}: ${mask} is no mask for the blocks of ${range}${why && `: ${why}`}; write a number from ${least} to ${most}`
}

function maskFlag(family: Family): string {
  return `${MASK}-${family}`
}

/** How many addresses a block has. */
export function blockSize({ range, nodeMask }: ClusterRange): bigint {
  return 1n << BigInt(ADDRESS_BITS[cidrFamily(range)] - nodeMask)
}
