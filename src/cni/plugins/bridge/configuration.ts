import { ConfigFields } from '#cni/protocol/config-fields.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import { trunkVlans, VLANS } from './trunk.ts'

// What stood on stdin and in CNI_ARGS → the options of a bridge, checked.

export interface BridgeConfiguration {
  readonly bridge: string
  /** The bridge gets the gateway's address: pods of this network leave it through the node. */
  readonly isGateway: boolean
  readonly isDefaultGateway: boolean
  readonly forceAddress: boolean
  readonly masquerade: MasqueradeChoice
  readonly mtu?: number
  readonly isHairpin: boolean
  readonly isPromiscuous: boolean
  /** 0 where the port has none of its own. */
  readonly vlan: number
  readonly trunk: readonly number[]
  readonly filtersVlans: boolean
  readonly preserveDefaultVlan: boolean
  readonly checksSpoofing: boolean
  readonly isIsolated: boolean
  /** The kernel looks for another owner of an IPv6 address before it uses it. */
  readonly detectsDuplicates: boolean
  /** `down` where another program sets up the interface in the container. */
  readonly container: 'up' | 'down'
  readonly mac?: string
  /** The type of the IPAM plugin; absent for a network without addresses. */
  readonly ipam?: string
}

/** `either`: iptables, unless the node has nftables alone. */
export type MasqueradeChoice = 'none' | 'iptables' | 'nftables' | 'either'

const DEFAULT_BRIDGE = 'cni0'
const MTU = { least: 68, most: 65_535 }

/** Fails with one line that has everything that cannot be. */
export function bridgeConfiguration(request: CniRequest): BridgeConfiguration {
  const fields = new ConfigFields(request.config.raw)
  const ipam = ipamType(request)
  const mtu = fields.plain('mtu') === 0 ? undefined : fields.number('mtu', MTU)
  const mac = macOf(request, fields)
  const vlan = fields.number('vlan', { ...VLANS, least: 0 }) ?? 0
  const configuration: BridgeConfiguration = {
    bridge: bridgeName(fields),
    isGateway: fields.isOn('isGateway') || fields.isOn('isDefaultGateway'),
    isDefaultGateway: fields.isOn('isDefaultGateway'),
    forceAddress: fields.isOn('forceAddress'),
    masquerade: masqueradeOf(fields),
    ...(mtu !== undefined && { mtu }),
    isHairpin: fields.isOn('hairpinMode'),
    isPromiscuous: fields.isOn('promiscMode'),
    vlan,
    trunk: trunkVlans(fields),
    filtersVlans: vlan !== 0 || fields.has('vlanTrunk'),
    // What the reference plugin does without a word.
    preserveDefaultVlan: fields.flag('preserveDefaultVlan') ?? true,
    checksSpoofing: fields.isOn('macspoofchk'),
    isIsolated: fields.isOn('portIsolation'),
    detectsDuplicates: fields.isOn('enabledad'),
    container: fields.isOn('disableContainerInterface') ? 'down' : 'up',
    ...(mac !== undefined && { mac }),
    ...(ipam !== undefined && { ipam }),
  }
  if (configuration.isHairpin && configuration.isPromiscuous)
    fields.complain('cannot set hairpin mode and promiscuous mode at the same time')
  if (ipam !== undefined && configuration.container === 'down')
    fields.complain('cannot use IPAM when DisableContainerInterface flag is set')
  fields.refuse()
  return configuration
}

/** DEL needs no more of a configuration than these two: a wrong option must not keep an address. */
export function ipamType({ config }: CniRequest): string | undefined {
  const fields = new ConfigFields(config.ipam ?? {}, 'ipam')
  const type = fields.text('type')
  // What cannot be read must not pass for a network without addresses: those of the pod would stay taken.
  fields.refuse()
  return type || undefined
}

export function takenBack(request: CniRequest): Pick<BridgeConfiguration, 'masquerade' | 'checksSpoofing'> {
  const fields = new ConfigFields(request.config.raw)
  return { masquerade: masqueradeOf(fields), checksSpoofing: fields.isOn('macspoofchk') }
}

function masqueradeOf(fields: ConfigFields): MasqueradeChoice {
  const backend = fields.choice('ipMasqBackend', ['iptables', 'nftables'])
  return fields.isOn('ipMasq') ? (backend ?? 'either') : 'none'
}

function bridgeName(fields: ConfigFields): string {
  const name = fields.text('bridge') || DEFAULT_BRIDGE
  if (!/^(?!\.{1,2}$)[^\s/:]{1,15}$/.test(name))
    fields.problem('bridge', 'is not the name of an interface: up to 15 characters without spaces, "/" and ":"')
  return name
}

/** The runtime's, then the operator's, then the environment's; as the kernel prints it. */
function macOf({ args }: CniRequest, fields: ConfigFields): string | undefined {
  const places = [fields.object('runtimeConfig'), fields.object('args')?.object('cni')]
  const place = places.find(at => at !== undefined && at.plain('mac') !== undefined && at.plain('mac') !== '')
  const mac = place === undefined ? args.get('MAC') : place.text('mac')
  if (mac === undefined || mac === '') return undefined
  const parsed = parseMac(mac)
  if (parsed !== undefined) return parsed
  const wrong = 'is not the address of one interface, such as 0a:58:0a:f4:01:02'
  if (place === undefined) fields.complain(`MAC in CNI_ARGS: ${JSON.stringify(mac)} ${wrong}`)
  else place.problem('mac', wrong)
  return undefined
}

/** Six bytes with colons or dashes, or three pairs with dots; a group's address and zeros are refused by the kernel. */
function parseMac(text: string): string | undefined {
  const isWritten =
    /^(?:[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5})|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2})$/i.test(text)
  const digits = text.replace(/[^0-9a-f]/gi, '').toLowerCase()
  const isGroup = (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1
  return isWritten && !isGroup && !/^0+$/.test(digits) ? digits.match(/../g)!.join(':') : undefined
}
