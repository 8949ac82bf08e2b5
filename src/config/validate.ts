import { parseAddress } from '#values/address.ts'
import { cidrFamily } from '#values/cidr.ts'
import { formatDuration } from '#values/duration.ts'
import { parseMoment } from '#values/moment.ts'
import { parsePortRange } from '#values/port-range.ts'
import { configuredAddress, configuredCidr, parsePort, splitHostPort, splitRanges } from './addresses.ts'
import type { Choices } from './choices.ts'
import { notOneOf, oneOf } from './one-of.ts'
import { wrong } from './problem.ts'
import { PODS_METRICS } from './table/rows-pods.ts'
import { RANGES_METRICS } from './table/rows-ranges.ts'
import { DETECT_MODES, MODES } from './table/setting.ts'
import { ranges } from './validate-ranges.ts'
import { ring } from './validate-ring.ts'
import { routes } from './validate-routes.ts'

// Choices → everything that is wrong with them, all at once: where it was said, the value, and what would be right.

type Problems = readonly string[]

const NONNEGATIVE = 'must be greater than or equal to 0'
/** Rounds that are closer do not count one by one. */
const LEAST_LEAKS_MS = 30_000
const BIT = 'must be within the range [0, 31]'

export function validate(choices: Choices): Problems {
  return [
    ...mode(choices),
    ...numbers(choices),
    ...periods(choices),
    ...addresses(choices),
    ...nodePortAddresses(choices),
    ...localTraffic(choices),
    ...byMode(choices),
    ...words(choices),
    ...ranges(choices),
    ...ring(choices),
    ...routes(choices),
    ...splitRanges(choices.text('--service-cluster-ip-range')).flatMap(range =>
      badRange(choices, '--service-cluster-ip-range', range),
    ),
  ]
}

function mode(choices: Choices): Problems {
  const given = choices.text('mode')
  const known: readonly string[] = MODES
  return known.includes(given) ? [] : [wrong(choices, 'mode', `must be ${oneOf(known, given)}, or empty for iptables`)]
}

function numbers(choices: Choices): Problems {
  const within = (key: string, [least, most]: readonly [number, number], right: string) => {
    const value = choices.number(key)
    return value >= least && value <= most ? [] : [wrong(choices, key, right)]
  }
  return [
    ...within('iptables.masqueradeBit', [0, 31], BIT),
    ...(choices.text('mode') === 'nftables' ? within('nftables.masqueradeBit', [0, 31], BIT) : []),
    ...within('oomScoreAdj', [-1000, 1000], 'must be within the range [-1000, 1000]'),
    ...within('conntrack.maxPerCore', [0, Number.POSITIVE_INFINITY], NONNEGATIVE),
    ...within('conntrack.min', [0, Number.POSITIVE_INFINITY], NONNEGATIVE),
    ...within('--node-mask', [0, 126], 'must be the length of a prefix, from 1 to 126, or 0 for the usual one'),
    ...within('--pods-per-node', [1, 65_536], 'must be within the range [1, 65536]'),
    ...within('--churn', [0, 1e6], 'must be within the range [0, 1000000]'),
    ...within('clientConnection.burst', [0, Number.POSITIVE_INFINITY], NONNEGATIVE),
  ]
}

function periods(choices: Choices): Problems {
  const given = choices.text('mode')
  const section = given === 'ipvs' || given === 'nftables' ? given : 'iptables'
  const [sync, min] = [`${section}.syncPeriod`, `${section}.minSyncPeriod`]
  const gap = choices.number(sync) < choices.number(min) && choices.number(sync) > 0
  const ipvsTimeouts = ['ipvs.tcpTimeout', 'ipvs.tcpFinTimeout', 'ipvs.udpTimeout']
  const timeouts = ['tcpEstablishedTimeout', 'tcpCloseWaitTimeout', 'udpTimeout', 'udpStreamTimeout']
  const optional = [
    ...timeouts.map(name => `conntrack.${name}`),
    ...(given === 'ipvs' ? ipvsTimeouts : []),
    min,
    '--leaks-period',
  ]
  const required = ['configSyncPeriod', sync, ...(given === 'userspace' ? ['udpIdleTimeout'] : [])]
  const shown = (key: string) => formatDuration(choices.number(key))
  const leaks = choices.number('--leaks-period')
  return [
    ...required
      .filter(key => choices.number(key) <= 0)
      .map(key => wrong(choices, key, 'must be greater than 0', shown(key))),
    ...optional.filter(key => choices.number(key) < 0).map(key => wrong(choices, key, NONNEGATIVE, shown(key))),
    ...(leaks > 0 && leaks < LEAST_LEAKS_MS
      ? [
          wrong(
            choices,
            '--leaks-period',
            `must be at least ${formatDuration(LEAST_LEAKS_MS)}, or 0`,
            shown('--leaks-period'),
          ),
        ]
      : []),
    ...(gap ? [wrong(choices, sync, `must not be less than ${choices.named(min)}, ${shown(min)}`, shown(sync))] : []),
  ]
}

function addresses(choices: Choices): Problems {
  const bind = configuredAddress(choices.text('bindAddress'))
  const loopback = bind?.startsWith('127.') || bind === '::1'
  const notLocal =
    'a userspace proxy on the loopback address serves no other host; must be an address of this node or 0.0.0.0'
  return [
    ...(bind === undefined ? [wrong(choices, 'bindAddress', 'must be an IP address, such as 0.0.0.0 or ::')] : []),
    ...(loopback && choices.text('mode') === 'userspace' ? [wrong(choices, 'bindAddress', notLocal)] : []),
    ...listens(choices, 'healthzBindAddress', '0.0.0.0:10256'),
    ...listens(choices, 'metricsBindAddress', '127.0.0.1:10249'),
    ...listens(choices, '--pods-metrics-bind-address', PODS_METRICS),
    ...listens(choices, '--ranges-metrics-bind-address', RANGES_METRICS),
  ]
}

function listens(choices: Choices, key: string, example: string): Problems {
  const given = choices.text(key)
  const parts = splitHostPort(given)
  if (given === '') return []
  if (parts === undefined) return [wrong(choices, key, `must be IP:port, such as ${example}`)]
  const problems: string[] = []
  if (configuredAddress(parts.host) === undefined)
    problems.push(`must be a valid IP before the port, such as ${example}`)
  if (parsePort(parts.port) === undefined) problems.push('must be a valid port, from 1 to 65535')
  return problems.map(right => wrong(choices, key, right))
}

function nodePortAddresses(choices: Choices): Problems {
  const given = choices.list('nodePortAddresses')
  if (given.includes('primary')) {
    return given.length === 1 ? [] : [wrong(choices, 'nodePortAddresses', "can't use both 'primary' and CIDRs")]
  }
  return given.flatMap(range => badRange(choices, 'nodePortAddresses', range))
}

function badRange(choices: Choices, key: string, range: string): Problems {
  if (configuredCidr(range) !== undefined) return []
  const address = parseAddress(range)
  const example =
    address === undefined ? '10.100.0.0/16 or fde4:8dba:82e1::/48' : `${address}/${address.includes(':') ? 128 : 32}`
  return [wrong(choices, key, `must be a valid CIDR block (e.g. ${example})`, range)]
}

function localTraffic(choices: Choices): Problems {
  const given = choices.text('detectLocalMode')
  const known: readonly string[] = DETECT_MODES
  if (!known.includes(given)) return [wrong(choices, 'detectLocalMode', `must be ${oneOf(known, given)}`)]
  if (given === 'BridgeInterface') return interfaceName(choices, 'detectLocal.bridgeInterface')
  if (given === 'InterfaceNamePrefix') return interfaceName(choices, 'detectLocal.interfaceNamePrefix')
  return given === 'ClusterCIDR' ? clusterCidrs(choices) : []
}

/** The name becomes a word of a rule, so what no kernel interface is called does not get that far. */
function interfaceName(choices: Choices, key: string): Problems {
  const name = choices.text(key)
  if (name === '')
    return [
      wrong(
        choices,
        key,
        `must not be empty with ${choices.named('detectLocalMode')} ${choices.text('detectLocalMode')}`,
      ),
    ]
  const sound = /^[\w.:@-]{1,15}$/.test(name)
  return sound
    ? []
    : [wrong(choices, key, 'must be 1 to 15 letters, digits or any of _ . : @ - (no + or * at the end)')]
}

function clusterCidrs(choices: Choices): Problems {
  const given = splitRanges(choices.text('clusterCIDR'))
  const bad = given.flatMap(range => badRange(choices, 'clusterCIDR', range))
  const families = given.map(configuredCidr).map(cidr => cidr && cidrFamily(cidr))
  if (bad.length > 0 || new Set(families).size === given.length) return bad
  return [
    wrong(choices, 'clusterCIDR', 'must be one CIDR, or one of each family (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)'),
  ]
}

function byMode(choices: Choices): Problems {
  const given = choices.text('mode')
  if (given === 'userspace') {
    const sound = parsePortRange(choices.text('portRange')) !== undefined
    return sound ? [] : [wrong(choices, 'portRange', 'must be "first-last", "first+more", one port, or empty for any')]
  }
  if (given !== 'ipvs') return []
  const scheduler = /^[a-z][a-z0-9_]*$|^$/.test(choices.text('ipvs.scheduler'))
  return [
    ...choices.list('ipvs.excludeCIDRs').flatMap(range => badRange(choices, 'ipvs.excludeCIDRs', range)),
    ...(scheduler ? [] : [wrong(choices, 'ipvs.scheduler', 'must be the name of an IPVS scheduler, such as rr or lc')]),
  ]
}

/** An empty name is that of a variable which is not set: without files a live cluster would be looked at instead. */
function filenames(choices: Choices): Problems {
  const { value, from } = choices.of('--filename')
  const names = value as readonly string[]
  const isNamed = from === 'default' || (names.length > 0 && !names.includes(''))
  return isNamed ? [] : [wrong(choices, '--filename', 'must be the names of files, or - for standard input')]
}

function words(choices: Choices): Problems {
  const shown = choices.text('showHiddenMetricsForVersion')
  return [
    ...['logging.format', '--family', '--as', '--output', '--leaks', '--page'].flatMap(key => notOneOf(choices, key)),
    ...(choices.text('--at') === '' || parseMoment(choices.text('--at'), 0) !== undefined
      ? []
      : [
          wrong(
            choices,
            '--at',
            'must be a time such as 2026-11-29T07:00:00Z, or a duration for that long ago, such as 10m',
          ),
        ]),
    ...filenames(choices),
    ...(choices.text('--database') === '' ? [wrong(choices, '--database', 'must be a path')] : []),
    ...(/^$|^\d+\.\d+$/.test(shown)
      ? []
      : [wrong(choices, 'showHiddenMetricsForVersion', 'must be a version such as 1.35')]),
    ...(/^\s+$/.test(choices.text('hostnameOverride'))
      ? [wrong(choices, 'hostnameOverride', 'empty hostname-override is invalid; must be the name of this Node')]
      : []),
  ]
}
