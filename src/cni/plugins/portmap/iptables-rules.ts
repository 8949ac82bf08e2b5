import { hash } from 'node:crypto'
import * as words from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import { type Family, hostPort } from '#values/address.ts'
import { PROTOCOLS } from '#values/protocol.ts'
import type { PortMapping, PortmapConfig } from './mapping.ts'
import { oneAddress, type PortmapOwner, type PortmapTarget } from './target.ts'

// Ports of the node that lead into a container → lines of iptables' nat table, in the chains the reference plugin has, so that
// either plugin takes back what the other has made.

export const ENTRY_CHAIN = 'CNI-HOSTPORT-DNAT'
const MARK_CHAIN = 'CNI-HOSTPORT-SETMARK'
const MASQUERADE_CHAIN = 'CNI-HOSTPORT-MASQ'
const GUARD_CHAIN = 'CNI-HOSTPORT-GUARD'
const CHAIN_PREFIX = 'CNI-DN-'
const CHAIN_CHARACTERS = 28
/** The kernel's limit of the multiport match. */
const PORTS_A_RULE = 15

/**
 * For a container's first interface it is the reference plugin's name, so that it takes back what we made. The reference
 * leaves the interface out: two attachments of one container to one network would have one chain.
 */
export function chainOf({ network, container, ifname }: PortmapOwner): string {
  return chainNamed(ifname === FIRST_INTERFACE ? network + container : `${network}\0${container}\0${ifname}`)
}

const FIRST_INTERFACE = 'eth0'

function chainNamed(identity: string): string {
  return `${CHAIN_PREFIX}${hash('sha512', identity)}`.slice(0, CHAIN_CHARACTERS)
}

type MarkSettings = Pick<PortmapConfig, 'masquerade' | 'mark' | 'markChain'>

/** The rules that all mappings share, by table and chain. */
export function sharedRules(family: Family, settings: MarkSettings): readonly SharedRule[] {
  const local = '-m addrtype --dst-type LOCAL'
  const nat = (chain: string, ...line: readonly string[]) => ({ table: 'nat', chain, line: rule(...line) }) as const
  const masquerade = nat('POSTROUTING', words.comment('CNI portfwd requiring masquerade'), words.jump(MASQUERADE_CHAIN))
  const ours = settings.masquerade !== 'never' && settings.markChain === undefined
  return [
    nat('PREROUTING', local, words.jump(ENTRY_CHAIN)),
    nat('OUTPUT', local, words.jump(ENTRY_CHAIN)),
    ...(ours
      ? [
          // `bridge` accepts what a pod sends into its own subnet, which is where a pod that asks for its own port is led.
          { ...masquerade, stands: 'first' as const },
          nat(MARK_CHAIN, words.comment('CNI portfwd masquerade mark'), words.setMark(settings.mark)),
          nat(MASQUERADE_CHAIN, words.marked(settings.mark), words.jump('MASQUERADE')),
        ]
      : []),
    ...(settings.masquerade !== 'never' && family === 'ipv4' ? GUARD : []),
  ]
}

export interface SharedRule {
  readonly table: 'nat' | 'filter'
  readonly chain: string
  readonly line: string
  /** Before what another program may have accepted already. */
  readonly stands?: 'first'
}

/**
 * Localhost reaches a container only where the bridge may route 127.0.0.0/8; then a neighbour could send packets to what the
 * node offers on localhost alone. They end here.
 */
const GUARD: readonly SharedRule[] = [
  { table: 'filter', chain: 'INPUT', line: words.jump(GUARD_CHAIN), stands: 'first' },
  {
    table: 'filter',
    chain: GUARD_CHAIN,
    line: '! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
  },
]

/** The container's own chain, and what leads to it: first of all, because what was there before may be of a container that died. */
export function mappingLines(target: PortmapTarget, owner: PortmapOwner, config: PortmapConfig): readonly string[] {
  const chain = chainOf(owner)
  return [
    `-N ${chain}`,
    ...target.mappings.flatMap(mapping => chainLines(chain, target, mapping, config)),
    ...entryLines(chain, target, owner, config),
  ]
}

function chainLines(
  chain: string,
  { family, subnet, address }: PortmapTarget,
  mapping: PortMapping,
  { masquerade, markChain = MARK_CHAIN }: PortmapConfig,
): readonly string[] {
  const { protocol, hostPort: port, containerPort } = mapping
  const at = oneAddress(mapping)
  const match = rule(at !== undefined && words.to(at), words.proto(protocol), words.dport(protocol, port))
  const mark = (...from: readonly (string | false)[]) => rule('-A', chain, ...from, match, words.jump(markChain))
  return [
    ...(masquerade === 'always' ? [mark()] : []),
    ...(masquerade === 'where-needed' ? [mark(`-s ${subnet}`)] : []),
    ...(masquerade === 'where-needed' && family === 'ipv4' ? [mark('-s 127.0.0.1/32')] : []),
    rule('-A', chain, match, `-j DNAT --to-destination ${hostPort(address, containerPort)}`),
  ]
}

function entryLines(
  chain: string,
  { family, mappings }: PortmapTarget,
  owner: PortmapOwner,
  { conditions }: PortmapConfig,
): readonly string[] {
  return PROTOCOLS.flatMap(protocol => {
    const ports = [...new Set(mappings.filter(one => one.protocol === protocol).map(one => one.hostPort))]
    return chunks(ports, PORTS_A_RULE).map(some =>
      rule(
        `-I ${ENTRY_CHAIN} 1`,
        words.proto(protocol),
        words.comment(ownerComment(owner)),
        `-m multiport --dports ${some.join(',')}`,
        ...conditions[family],
        words.jump(chain),
      ),
    )
  })
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

/** As the reference writes it, and the interface. Names and ids hold letters, digits, dots, dashes and underscores alone. */
function ownerComment({ network, container, ifname }: PortmapOwner): string {
  return `dnat name: \\"${network}\\" id: \\"${container}\\" if: \\"${ifname}\\"`
}

/** A rule of the entry chain, with what it says of its owner. */
export interface EntryRule {
  /** As `iptables -S` prints it. */
  readonly line: string
  readonly chain: string
  readonly network: string
  readonly container: string
  /** Absent in rules of the reference plugin. */
  readonly ifname?: string
  readonly protocol: string
  readonly ports: readonly number[]
}

const ENTRY =
  /^-A CNI-HOSTPORT-DNAT (?=.*-p (\w+))(?=.*--comment "dnat name: \\"(.*?)\\" id: \\"(.*?)\\"(?: if: \\"(.*?)\\")?")(?=.*--dports ([\d,]+)).* -j (\S+)$/

/** Lines that are not of a mapping are passed over. */
export function entryRulesOf(listing: string): readonly EntryRule[] {
  return listing.split('\n').flatMap(line => {
    const [, protocol, network, container, ifname, ports, chain] = ENTRY.exec(line.trimEnd()) ?? []
    if (protocol === undefined || network === undefined || container === undefined || chain === undefined) return []
    const named = ifname === undefined ? {} : { ifname }
    const numbers = (ports ?? '').split(',').map(Number)
    return [{ line, chain, network, container, ...named, protocol, ports: numbers }]
  })
}

/** What leads to the chains goes first; a chain of the reference plugin that was left behind is emptied and goes, too. */
export function removalLines(entries: readonly EntryRule[]): readonly string[] {
  const chains = [...new Set(entries.map(({ chain }) => chain))]
  return [
    ...entries.map(({ line }) => line.replace('-A ', '-D ')),
    ...chains.flatMap(chain => [`-F ${chain}`, `-X ${chain}`]),
  ]
}
