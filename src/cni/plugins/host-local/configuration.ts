import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { CniError, CODE } from '#cni/protocol/error.ts'
import { shownJson } from '#cni/protocol/json.ts'
import type { CniRequest, JsonObject } from '#cni/protocol/request.ts'
import type { CniRoute } from '#cni/protocol/result.ts'
import { routeOf } from '#cni/protocol/shapes/decode-result.ts'
import { atLeast } from '#cni/protocol/versions.ts'
import type { GrantedRanges, LeaseRequest } from '#ipam/leases/lease-book.ts'
import { rangeSets } from '#ipam/ranges/range-config.ts'
import type { RangeProblem } from '#ipam/ranges/range-problem.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { parseDuration } from '#values/duration.ts'

// The `ipam` of a configuration, and what a runtime put beside it → what host-local works with, or one error with all that is
// wrong. `dataDir` is accepted and means nothing here: leases are in the database, whose place a network cannot choose.

export interface HostLocalConfig extends RangesConfig {
  readonly routes: readonly CniRoute[]
  /** The path of a file with the container's DNS settings. */
  readonly resolvConf: string | undefined
  readonly onDuplicate: LeaseRequest['onDuplicate']
  readonly cooldownMs: number
}

/** The part that CHECK and STATUS need, too. */
export interface RangesConfig {
  readonly sets: readonly RangeSet[]
  /** Where they are those of the node: of which moment. */
  readonly revision?: number
  readonly overlap: LeaseRequest['overlap']
}

/**
 * As long as the kernel remembers a UDP flow without an answer, and trusts a neighbour entry: until then a packet for the last
 * owner may reach the next one. In a /24 it costs addresses only where more than eight pods a second end.
 */
export const COOLDOWN_MS = 30_000
const LONGEST_COOLDOWN_MS = 24 * 3_600_000

export function hostLocalConfig(request: CniRequest, granted?: GrantedRanges): HostLocalConfig {
  const fields = new ConfigFields(ipamOf(request), 'ipam')
  const config = {
    routes: fields.objects('routes').flatMap(routeOf),
    resolvConf: fields.text('resolvConf') || undefined,
    onDuplicate: fields.choice('onDuplicate', ['error', 'reuse'] as const) ?? 'error',
    cooldownMs: cooldownOf(fields),
  }
  fields.text('dataDir')
  return { ...rangesConfig(request, granted, fields), ...config }
}

/** Fails with all problems of these fields and of the ranges; those of the node count where the configuration names none. */
export function rangesConfig(
  request: CniRequest,
  granted?: GrantedRanges,
  fields = new ConfigFields(ipamOf(request), 'ipam'),
): RangesConfig {
  const overlap = fields.choice('overlap', ['refuse', 'allow'] as const) ?? 'refuse'
  const own = namesRanges(request) ? undefined : granted
  if (own !== undefined) {
    fields.refuse()
    refuseManyOfOneFamily(request, own.sets)
    return { sets: own.sets, overlap, revision: own.revision }
  }
  const decoded = rangeSets({ ipam: ipamOf(request), ipRanges: ipRangesOf(request) })
  if (!decoded.ok) throw rangeError(decoded.problems, fields.problems)
  fields.refuse()
  refuseManyOfOneFamily(request, decoded.sets)
  return { sets: decoded.sets, overlap }
}

/** Otherwise its addresses are from the ranges of the node. */
export function namesRanges(request: CniRequest): boolean {
  const ipam = new ConfigFields(request.config.ipam ?? {}, 'ipam')
  return [...RANGE_KEYS.map(key => ipam.has(key)), ipRangesOf(request) !== undefined].includes(true)
}

const RANGE_KEYS = ['subnet', 'ranges', 'rangeStart', 'rangeEnd', 'gateway']

function ipRangesOf({ config }: CniRequest): unknown {
  return new ConfigFields(config.raw).object('runtimeConfig')?.plain('ipRanges')
}

/** Undefined where ranges come with each ADD alone, by the capability `ipRanges`: a STATUS is given none. */
export function rangesKnownNow(request: CniRequest, granted?: GrantedRanges): RangesConfig | undefined {
  const raw = new ConfigFields(request.config.raw)
  const ipam = new ConfigFields(ipamOf(request), 'ipam')
  const given = ipam.has('subnet') || ipam.has('ranges') || raw.object('runtimeConfig')?.has('ipRanges')
  if (!given && raw.object('capabilities')?.plain('ipRanges') === true) return undefined
  return rangesConfig(request, granted, ipam)
}

function ipamOf({ config }: CniRequest): JsonObject {
  if (config.ipam !== undefined) return config.ipam
  const details = 'ipam: write {"type": "host-local", "subnet": "10.244.1.0/24"}'
  throw new CniError(CODE.config, "IPAM config missing 'ipam' key", details)
}

/** The first problem is the message, in the words of the reference plugin; where each is, and what would be right, the details. */
function rangeError(ranges: readonly RangeProblem[], others: readonly string[]): CniError {
  const places = ranges.map(problem => {
    const value = 'value' in problem ? `: ${shownJson(problem.value)}` : ''
    return `${problem.path}${value}: ${problem.hint}`
  })
  return new CniError(CODE.config, ranges[0]!.text, [...places, ...others].join('; '))
}

/** A result of these versions has room for one of each. */
function refuseManyOfOneFamily({ config: { cniVersion } }: CniRequest, sets: readonly RangeSet[]): void {
  const six = sets.filter(([{ subnet }]) => subnet.includes(':')).length
  if (atLeast(cniVersion, '0.3.0') || (six <= 1 && sets.length - six <= 1)) return
  const message = `CNI version ${cniVersion} does not support more than 1 address per family`
  throw new CniError(CODE.config, message, `cniVersion: ${JSON.stringify(cniVersion)}: write "0.3.1" or newer`)
}

function cooldownOf(fields: ConfigFields): number {
  const text = fields.text('cooldown')
  if (text === undefined) return COOLDOWN_MS
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= 0 && ms <= LONGEST_COOLDOWN_MS) return ms
  fields.problem('cooldown', 'is not a duration from 0s to 24h, such as 30s')
  return COOLDOWN_MS
}
