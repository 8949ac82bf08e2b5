import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import { type CniResult, NO_RESULT } from '#cni/protocol/result.ts'
import { forgetFlowsTo } from '#dialects/conntrack.ts'
import { askVersion, plainlyNamed } from '#dialects/iptables.ts'
import { NFT_VERSION } from '#dialects/nft.ts'
import { CommandFailed } from '#system/must.ts'
import { FAMILIES } from '#values/address.ts'
import { BackendAbsent } from '../backend-absent.ts'
import { forgetOthers, forgetRules, keepRules } from '../kept-rules.ts'
import type { CniPlugin, PluginParts } from '../plugin.ts'
import type { MappedPort, Mapping, MappingBackend } from './backend.ts'
import { IptablesBackend } from './iptables-backend.ts'
import { type PortmapConfig, portmapConfig } from './mapping.ts'
import { NftablesBackend } from './nftables-backend.ts'
import { prepareLinks } from './node-links.ts'
import { ownerOf, type PortmapOwner, targetsOf } from './target.ts'

// `portmap`: ports of the node that lead into a container. It stands in a chain behind the plugin that made the interface.

export const portmap: CniPlugin = {
  type: 'portmap',

  async add(request, parts) {
    const result = previousResult(request)
    const mapping = mappingOf(request, result)
    if (mapping.targets.length === 0) return result
    try {
      await mapWithWhatIsThere(mapping, parts)
      await prepareLinks(mapping, result, parts)
      const { owner: _, ...wanted } = mapping
      await keepRules(request, { kind: 'hostports', wanted }, parts)
    } catch (error) {
      await unmapAll(mapping.owner, parts).catch(() => {})
      throw asCniError(error)
    }
    await forgetUdp(portsOf(mapping), parts)
    return result
  },

  /** Whatever stands in the configuration: a runtime may leave the mappings out, and the rules say themselves whose they are. */
  async del(request, parts) {
    await unmapAll(ownerOf(request), parts)
  },

  async check(request, parts) {
    const mapping = mappingOf(request, previousResult(request))
    if (mapping.targets.length === 0) return
    const missing = await missingIn(mapping, parts)
    if (missing === undefined) return
    const details = 'remove the pod, so that its successor maps them anew'
    throw new CniError(CODE.internal, `portmap: ${missing.join('; ')}`, details)
  },

  async status(request, parts) {
    const { backend } = portmapConfig(request)
    const asked = [
      ...(backend === 'nftables' ? [] : [IPTABLES_VERSION]),
      ...(backend === 'iptables' ? [] : [NFT_VERSION]),
    ]
    let said = ''
    for (const command of asked) {
      const { code, stderr } = await parts.kernel.run(command)
      if (code === 0) return
      said += stderr.trim()
    }
    const programs = asked.map(({ argv }) => argv[0]).join(' nor ')
    throw new CniError(CODE.notAvailable, `portmap: no ${programs} can be run`, said)
  },

  async gc({ config }, parts) {
    if (config.validAttachments === undefined) return
    const except = config.validAttachments.map(attachment => ({ network: config.name, ...attachment }))
    await forgetOthers({ network: config.name, valid: except }, 'hostports', parts)
    await forgetUdp(await unmapEverywhere({ network: config.name, except }, parts), parts)
  },
}

/** All of one attachment. */
export async function unmapAll(owner: PortmapOwner, parts: MappingParts): Promise<void> {
  await forgetRules(owner, 'hostports', parts)
  await forgetUdp(await unmapEverywhere({ owner }, parts), parts)
}

/** As an ADD maps them. */
export async function mapAll(mapping: Mapping, parts: MappingParts): Promise<void> {
  await mapWithWhatIsThere(mapping, parts)
  await forgetUdp(portsOf(mapping), parts)
}

/** By either back end, where none is named. */
export async function isMapped(mapping: Mapping, parts: MappingParts): Promise<boolean> {
  return (await missingIn(mapping, parts)) === undefined
}

type MappingParts = Pick<PluginParts, 'kernel' | 'hasChain' | 'rules'>

const IPTABLES_VERSION = askVersion(plainlyNamed('ipv4', 'nft'), 'restore')

function previousResult({ config }: CniRequest): CniResult {
  if (config.prevResult !== undefined) return config.prevResult
  throw new CniError(
    CODE.config,
    'portmap must be called as a chained plugin',
    'put it behind bridge in the list "plugins"',
  )
}

function mappingOf(request: CniRequest, result: CniResult = NO_RESULT): Mapping {
  const config = portmapConfig(request)
  return { owner: ownerOf(request), config, targets: targetsOf(config, result) }
}

function backends({ backend }: PortmapConfig, parts: MappingParts): readonly MappingBackend[] {
  const iptables = backend === 'nftables' ? [] : [new IptablesBackend(parts)]
  return backend === 'iptables' ? iptables : [...iptables, new NftablesBackend(parts)]
}

/** Undefined where one back end has all of them. */
async function missingIn(mapping: Mapping, parts: MappingParts): Promise<readonly string[] | undefined> {
  const found = await Promise.all(backends(mapping.config, parts).map(backend => backend.missing(mapping)))
  return found.every(missing => missing.length > 0) ? found[0] : undefined
}

/** iptables, unless another is named, or the node has none that works. */
async function mapWithWhatIsThere(mapping: Mapping, parts: MappingParts): Promise<void> {
  const [first, second] = backends(mapping.config, parts)
  try {
    await first!.map(mapping)
  } catch (error) {
    if (!(error instanceof BackendAbsent) || second === undefined) throw error
    await second.map(mapping)
  }
}

/** By whichever back end they were made, the configuration may have changed since. */
async function unmapEverywhere(
  choice: Parameters<MappingBackend['unmap']>[0],
  parts: MappingParts,
): Promise<readonly MappedPort[]> {
  const outcomes = await Promise.allSettled(
    [new IptablesBackend(parts), new NftablesBackend(parts)].map(backend => backend.unmap(choice)),
  )
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw asCniError(failed.reason)
  return outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? outcome.value : []))
}

function portsOf({ targets }: Mapping): readonly MappedPort[] {
  return targets.flatMap(({ family, mappings }) =>
    mappings.map(({ protocol, hostPort: port }) => ({ family, protocol, port })),
  )
}

/** A client that goes on sending keeps its connection alive, to where it led before the mapping came or went. */
async function forgetUdp(ports: readonly MappedPort[], parts: MappingParts): Promise<void> {
  for (const family of FAMILIES) {
    const udp = ports.filter(port => port.family === family && port.protocol === 'udp').map(({ port }) => port)
    if (udp.length > 0) await parts.kernel.run(forgetFlowsTo([...new Set(udp)], family))
  }
}

function asCniError(error: unknown): unknown {
  if (!(error instanceof CommandFailed)) return error
  return new CniError(CODE.io, error.message, error.near().join(' '))
}
