import { ConfigFields } from '#cni/protocol/config-fields.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import type { Address, Family } from '#values/address.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'

// A configuration of `portmap` → what is mapped, and how.

export interface PortMapping {
  readonly protocol: Protocol
  readonly hostPort: number
  readonly containerPort: number
  /** Absent where every address of the node is meant. */
  readonly hostAddress?: Address
}

export interface PortmapConfig {
  readonly mappings: readonly PortMapping[]
  /**
   * Which connections get the node's address as their source: none, those whose answer would not pass the node again, or
   * all of them.
   */
  readonly masquerade: 'never' | 'where-needed' | 'always'
  readonly mark: number
  /** A chain of another program that marks packets for masquerading, in place of ours: `KUBE-MARK-MASQ`. */
  readonly markChain?: string
  /** Further matches, in the words of the back end. */
  readonly conditions: Readonly<Record<Family, readonly string[]>>
  /** Undefined leaves it to the node: iptables where it is there. */
  readonly backend: PortmapBackend | undefined
}

const BACKENDS = ['iptables', 'nftables'] as const
export type PortmapBackend = (typeof BACKENDS)[number]

const DEFAULT_MARK_BIT = 13

/** Fails with one error that names every field that is wrong. */
export function portmapConfig({ config }: Pick<CniRequest, 'config'>): PortmapConfig {
  const fields = new ConfigFields(config.raw)
  const bit = fields.number('markMasqBit', { least: 0, most: 31 })
  const markChain = fields.text('externalSetMarkChain')
  if (bit !== undefined && markChain !== undefined) {
    fields.problem(
      'markMasqBit',
      'and externalSetMarkChain are both there: that chain chooses the mark, so leave one out',
    )
  }
  if (markChain !== undefined && !/^[\w.-]{1,28}$/.test(markChain)) {
    fields.problem('externalSetMarkChain', 'is not the name of a chain, such as KUBE-MARK-MASQ')
  }
  const conditions = { ipv4: conditionWords(fields, 'conditionsV4'), ipv6: conditionWords(fields, 'conditionsV6') }
  const decoded: PortmapConfig = {
    mappings: mappingsOf(fields),
    masquerade: masqueradeOf(fields),
    mark: 2 ** (bit ?? DEFAULT_MARK_BIT),
    ...(markChain !== undefined && { markChain }),
    conditions,
    backend: backendOf(fields, conditions, markChain),
  }
  fields.refuse()
  return decoded
}

function masqueradeOf(fields: ConfigFields): PortmapConfig['masquerade'] {
  if (fields.isOn('masqAll')) return 'always'
  return fields.flag('snat') === false ? 'never' : 'where-needed'
}

/** As the reference chooses: by name, else by what only one of the two understands. */
function backendOf(
  fields: ConfigFields,
  { ipv4, ipv6 }: PortmapConfig['conditions'],
  markChain: string | undefined,
): PortmapBackend | undefined {
  const named = fields.choice('backend', BACKENDS)
  if (named === 'nftables' && markChain !== undefined) {
    fields.problem('externalSetMarkChain', 'is a chain of iptables: it cannot be used with backend "nftables"')
  }
  const [fromV4, fromV6] = [spokenIn(ipv4), spokenIn(ipv6)]
  const backend = named ?? (markChain !== undefined ? 'iptables' : (fromV4 ?? fromV6))
  for (const [key, spoken] of [
    ['conditionsV4', fromV4],
    ['conditionsV6', fromV6],
  ] as const) {
    if (spoken !== undefined && spoken !== backend)
      fields.problem(key, `is in the words of ${spoken}, while the back end is ${backend}`)
  }
  return backend
}

/** The back end that understands such words: matches of iptables begin with a flag, those of nft never do. */
function spokenIn([first]: readonly string[]): PortmapBackend | undefined {
  return first === undefined ? undefined : /^[-!]/.test(first) ? 'iptables' : 'nftables'
}

function mappingsOf(fields: ConfigFields): readonly PortMapping[] {
  const given = fields.object('runtimeConfig')?.objects('portMappings') ?? []
  return given.flatMap(mapping => {
    const [hostPort, containerPort] = [portAt(mapping, 'hostPort'), portAt(mapping, 'containerPort')]
    const protocol = protocolOf(mapping)
    const hostAddress = mapping.plain('hostIP') === '' ? undefined : mapping.address('hostIP')
    if (hostPort === undefined || containerPort === undefined || protocol === undefined) return []
    return [{ protocol, hostPort, containerPort, ...(hostAddress !== undefined && { hostAddress }) }]
  })
}

/** Runtimes write it in either case. */
function protocolOf(mapping: ConfigFields): Protocol | undefined {
  const text = mapping.text('protocol') ?? 'tcp'
  const protocol = PROTOCOLS.find(known => known === text.toLowerCase())
  if (protocol === undefined) mapping.problem('protocol', 'is not "tcp", "udp" or "sctp"')
  return protocol
}

function portAt(mapping: ConfigFields, key: string): number | undefined {
  if (!mapping.has(key)) mapping.complain(`${mapping.pathOf(key)} is missing: a port from 1 to 65535`)
  return mapping.number(key, { least: 1, most: 65_535 })
}

/** A list, or one text with words between spaces. What would begin a statement of its own has no place among them. */
function conditionWords(fields: ConfigFields, key: string): readonly string[] {
  const plain = fields.plain(key)
  const words = typeof plain === 'string' ? plain.split(' ').filter(word => word !== '') : fields.texts(key)
  if (words.some(word => word === '' || /[\n\r;"]/.test(word))) {
    fields.problem(
      key,
      'holds a line break, a semicolon, a quote or an empty word: it is a list of words such as ["-s", "192.0.2.0/24"]',
    )
  }
  return words
}
