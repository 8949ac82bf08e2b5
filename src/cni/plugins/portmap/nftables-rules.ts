import * as words from '#dialects/nft.ts'
import type { Listing } from '#dialects/nft-listing.ts'
import { rule } from '#dialects/words.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { hash8, hash16 } from '#values/digest.ts'
import type { Mapping } from './backend.ts'
import type { PortMapping, PortmapConfig } from './mapping.ts'
import { oneAddress, type PortmapOwner, type PortmapTarget } from './target.ts'

// Ports of the node that lead into a container → statements of nft, in a table of ours. The name of a container's chain says
// whose it is, so nothing has to be remembered to take it back.

export const TABLE = 'switchyard_hostports'
export const ENTRY_CHAIN = 'hostports'

export function chainOf(owner: PortmapOwner): string {
  return `${chainPrefix(owner.network)}${hash16(`${owner.network}/${owner.container}/${owner.ifname}`)}`
}

/** What the chains of one network begin with. */
export function chainPrefix(network: string): string {
  return `pod-${hash8(network)}-`
}

interface BaseChain {
  readonly name: string
  readonly hook: Omit<words.Hook, 'policy'>
  readonly rules: readonly string[]
}

function sharedChains(family: Family, { masquerade, mark }: PortmapConfig): readonly BaseChain[] {
  const local = [`fib daddr type local jump ${ENTRY_CHAIN}`]
  return [
    { name: 'prerouting', hook: { type: 'nat', hook: 'prerouting', priority: -100 }, rules: local },
    { name: 'output', hook: { type: 'nat', hook: 'output', priority: -100 }, rules: local },
    ...(masquerade === 'never' ? [] : [masqueradeChain(mark)]),
    ...(masquerade !== 'never' && family === 'ipv4' ? [GUARD] : []),
  ]
}

function masqueradeChain(mark: number): BaseChain {
  return {
    name: `masquerade-${words.hexMark(mark)}`,
    hook: { type: 'nat', hook: 'postrouting', priority: 100 },
    rules: [rule(words.marked(mark), words.MASQUERADE)],
  }
}

/**
 * Localhost reaches a container only where the bridge may route 127.0.0.0/8; then a neighbour could send packets to what the
 * node offers on localhost alone.
 */
const GUARD: BaseChain = {
  name: 'guard',
  hook: { type: 'filter', hook: 'prerouting', priority: -300 },
  rules: ['iifname != "lo" ip daddr 127.0.0.0/8 drop'],
}

/** The chains that all mappings share. They are written anew each time, so that what was flushed comes back with the next pod. */
export function sharedLines(family: Family, config: PortmapConfig): readonly string[] {
  return [
    `add table ${at(family)}`,
    `add chain ${at(family)} ${ENTRY_CHAIN}`,
    ...sharedChains(family, config).flatMap(({ name, hook, rules }) => [
      `add chain ${at(family)} ${name} { ${words.hookLine({ ...hook, policy: 'accept' })} ; }`,
      ...chainLines(family, name, rules),
    ]),
  ]
}

function chainLines(family: Family, name: string, rules: readonly string[]): readonly string[] {
  const chain = `${at(family)} ${name}`
  return [`flush chain ${chain}`, ...rules.map(text => `add rule ${chain} ${text}`)]
}

/** What is not in the table as it was written, one sentence each. */
export function missingIn(table: Listing, { targets, owner, config }: Mapping, family: Family): readonly string[] {
  const wanted = [
    ...sharedChains(family, config),
    ...targets.filter(one => one.family === family).map(one => ownChain(one, owner, config)),
  ]
  const chains = wanted.flatMap(({ name, rules }) => {
    const there = new Set(table.chains.get(name)?.split('\n'))
    return rules.filter(text => !there.has(text)).map(text => `chain ${name} has no rule ${JSON.stringify(text)}`)
  })
  const entries = table.chains.get(ENTRY_CHAIN)?.split('\n') ?? []
  const led = (mapping: PortMapping) =>
    entries.some(line => line.startsWith(`${matchOf(family, mapping)} `) && line.includes(`jump ${chainOf(owner)}`))
  const unled = targets.flatMap(one => (one.family === family ? one.mappings.filter(mapping => !led(mapping)) : []))
  return [
    ...chains,
    ...unled.map(({ protocol, hostPort: port }) => `nothing leads to it from port ${port}/${protocol}`),
  ]
}

export function mappingLines(target: PortmapTarget, owner: PortmapOwner, config: PortmapConfig): readonly string[] {
  const { name, rules } = ownChain(target, owner, config)
  return [
    `add chain ${at(target.family)} ${name}`,
    ...chainLines(target.family, name, rules),
    ...target.mappings.map(mapping => entryLine(target.family, mapping, owner, config)),
  ]
}

function ownChain(target: PortmapTarget, owner: PortmapOwner, config: PortmapConfig): Omit<BaseChain, 'hook'> {
  return { name: chainOf(owner), rules: target.mappings.flatMap(mapping => ruleTexts(target, mapping, config)) }
}

function ruleTexts(
  { family, subnet, address }: PortmapTarget,
  mapping: PortMapping,
  { masquerade, mark }: PortmapConfig,
): readonly string[] {
  const { saddr } = words.FAMILY_WORDS[family]
  const match = matchOf(family, mapping)
  const marking = (from?: string) => rule(from !== undefined && `${saddr} ${from}`, match, words.setMark(mark))
  return [
    ...(masquerade === 'always' ? [marking()] : []),
    ...(masquerade === 'where-needed' ? [marking(words.range(subnet))] : []),
    ...(masquerade === 'where-needed' && family === 'ipv4' ? [marking('127.0.0.1')] : []),
    rule(match, words.dnatTo(mapping.protocol, address, mapping.containerPort)),
  ]
}

/** First of all, because what was there before may be of a container that died. */
function entryLine(family: Family, mapping: PortMapping, owner: PortmapOwner, { conditions }: PortmapConfig): string {
  const text = rule(matchOf(family, mapping), ...conditions[family], 'jump', chainOf(owner))
  const whose = words.comment(`${owner.network} ${owner.ifname} ${owner.container}`)
  return `insert rule ${at(family)} ${ENTRY_CHAIN} ${text} ${whose}`
}

function matchOf(family: Family, mapping: PortMapping): string {
  const { daddr } = words.FAMILY_WORDS[family]
  const at = oneAddress(mapping)
  return rule(at !== undefined && `${daddr} ${at}`, words.dport(mapping.protocol), mapping.hostPort)
}

/** A rule of the entry chain. */
export interface EntryHandle {
  readonly family: Family
  readonly handle: number
  readonly chain: string
  readonly protocol: string
  readonly port: number
}

const ENTRY = /^\s*(?:.* )?(tcp|udp|sctp) dport (\d+) .*jump (pod-\S+) .*# handle (\d+)$/

/** What `nft -a list chain` printed. */
export function entryHandlesOf(listing: string, family: Family): readonly EntryHandle[] {
  return listing.split('\n').flatMap(line => {
    const [, protocol, port, chain, handle] = ENTRY.exec(line) ?? []
    if (protocol === undefined || chain === undefined) return []
    return [{ family, handle: Number(handle), chain, protocol, port: Number(port) }]
  })
}

export function removalLines(entries: readonly EntryHandle[]): readonly string[] {
  return FAMILIES.flatMap(family => {
    const own = entries.filter(entry => entry.family === family)
    const chains = [...new Set(own.map(({ chain }) => chain))]
    return [
      ...own.map(({ handle }) => `delete rule ${at(family)} ${ENTRY_CHAIN} handle ${handle}`),
      ...chains.flatMap(chain => chainRemoval(family, chain)),
    ]
  })
}

export function chainRemoval(family: Family, chain: string): readonly string[] {
  return [`flush chain ${at(family)} ${chain}`, `delete chain ${at(family)} ${chain}`]
}

function at(family: Family): string {
  return `${words.FAMILY_WORDS[family].ip} ${TABLE}`
}
