import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { refuseUnknownArgs } from '#cni/protocol/environment.ts'
import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import { rangesText } from '#ipam/ranges/range-bounds.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { type MatchedAddresses, matchedAddresses, type NeverGiven } from '#ipam/ranges/requested.ts'
import { type Address, parseAddress } from '#values/address.ts'

// CNI_ARGS `IP=`, `args.cni.ips` and `runtimeConfig.ips` → addresses that a container asks for, at most one of each set.

/** Those we read, and that of `bridge`, which hands all of them on. */
const KNOWN_ARGS = ['IP', 'MAC', 'K8S_POD_NAMESPACE', 'K8S_POD_NAME', 'K8S_POD_INFRA_CONTAINER_ID', 'K8S_POD_UID']

export function requestedAddresses(request: CniRequest, sets: readonly RangeSet[]): readonly Address[] {
  refuseUnknownArgs(request.args, KNOWN_ARGS)
  const asked = [...askedInArgs(request), ...askedInConfiguration(request)]
  const matched = matchedAddresses(sets, asked)
  const [refused] = matched.refused
  if (refused !== undefined) throw neverGivenError(refused, sets)
  if (matched.left.length > 0) throw leftError(matched, sets)
  return matched.chosen.map(({ address }) => address)
}

function askedInArgs({ args }: CniRequest): readonly Address[] {
  const text = args.get('IP') ?? ''
  if (text === '') return []
  const address = addressOf(text)
  if (address !== undefined) return [address]
  const message = `ARGS: error parsing value of pair ${JSON.stringify(`IP=${text}`)}: invalid IP address ${text}`
  throw new CniError(CODE.environment, message, 'CNI_ARGS: write one address, as IP=10.244.1.7')
}

function askedInConfiguration({ config }: CniRequest): readonly Address[] {
  const fields = new ConfigFields(config.raw)
  const lists = [fields.object('args')?.object('cni'), fields.object('runtimeConfig')]
  const addresses = lists.flatMap(list =>
    (list?.texts('ips') ?? []).flatMap((text, i) => {
      const address = addressOf(text)
      if (address !== undefined) return [address]
      list!.complain(`${list!.pathOf('ips')}[${i}]: ${JSON.stringify(text)} is not an IP address such as 10.244.1.7`)
      return []
    }),
  )
  fields.refuse()
  return addresses
}

/** The length of a prefix behind it is that of the range, whatever it says. */
function addressOf(text: string): Address | undefined {
  return parseAddress(text.replace(/\/\d+$/, ''))
}

type NotGiven = MatchedAddresses['refused'][number]

const WHY_NEVER: Readonly<Record<NeverGiven, (wanted: NotGiven, ranges: string) => string>> = {
  gateway: ({ address }) => `requested ip ${address} is subnet's gateway`,
  network: ({ address }, ranges) => `requested IP address ${address} is not available in range set ${ranges}`,
  broadcast: ({ address }, ranges) => `requested IP address ${address} is not available in range set ${ranges}`,
}

function neverGivenError(refused: NotGiven, sets: readonly RangeSet[]): CniError {
  const { set, address, why } = refused
  const message = `failed to allocate for range ${set}: ${WHY_NEVER[why](refused, rangesText(sets[set]!))}`
  const whose = why === 'gateway' ? `the gateway of a range` : `the ${why} address of its subnet`
  return new CniError(CODE.config, message, `${address} is ${whose}; ask for another address`)
}

function leftError({ chosen, left }: MatchedAddresses, sets: readonly RangeSet[]): CniError {
  const given = chosen.map(({ set, address }) => `range ${set} gives ${address} already`)
  const ranges = sets.map((set, i) => `range ${i} is ${rangesText(set)}`)
  const details = [...given, ...ranges, 'one address of each can be asked for'].join('; ')
  return new CniError(CODE.config, `failed to allocate all requested IPs: ${left.join(' ')}`, details)
}
