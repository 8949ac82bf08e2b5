import type { CniRequest } from '#cni/protocol/request.ts'
import type { AddressWithPrefix, NamespaceNetwork, Networks } from '#system/network/network.ts'
import { type Kernel, NOT_FOUND } from '#system/ports.ts'
import { BackendAbsent } from '../backend-absent.ts'
import { forgetOthers, forgetRules } from '../kept-rules.ts'
import { holderOf } from '../owner.ts'
import type { PluginParts } from '../plugin.ts'
import { ipamType, type MasqueradeChoice, takenBack } from './configuration.ts'
import { isRefused } from './failed.ts'
import { keepPorts, takePort } from './links/ports.ts'
import { everyMasquerade, masqueradeBy, otherMasquerades } from './rules/choice.ts'
import type { Masquerade } from './rules/masquerade.ts'
import { spoofCheck } from './rules/spoof-check.ts'

// A DEL or a GC → nothing of an attachment is left, whatever of it was there.

/** Each step is taken, whether or not the one before it succeeded; the first failure is what the runtime hears, and it tries again. */
export async function detach(request: CniRequest, parts: PluginParts): Promise<void> {
  const failures: unknown[] = []
  const failed = (error: unknown): undefined => void failures.push(error)
  const releaseFirst = needsInterface(request)
  if (releaseFirst) await release(request, parts).catch(failed)
  const link = await findLink(request, parts).catch(failed)
  const addresses = unique([...(request.config.prevResult?.ips ?? []), ...(link?.addresses ?? [])])
  const take = (): Promise<void> => link?.take() ?? takePort(parts.networks, holderOf(request))
  // The kernel has the link gone before a program that removes rules has started.
  await Promise.all([take().catch(failed), removeRules(request, parts, addresses).catch(failed)])
  // The address goes last: the next pod that gets it must not lose its own rules.
  if (!releaseFirst) await release(request, parts).catch(failed)
  if (failures.length > 0) throw failures[0]
}

/** A DHCP server hears of the end of a lease through the interface that has it. */
function needsInterface(request: CniRequest): boolean {
  return ipamType(request) === 'dhcp'
}

async function release(request: CniRequest, parts: PluginParts): Promise<void> {
  const ipam = ipamType(request)
  if (ipam !== undefined) await parts.delegates.del(ipam, request)
}

interface FoundLink {
  readonly addresses: readonly AddressWithPrefix[]
  /** Both ends of the pair go with one of them. */
  take(): Promise<void>
}

/** Undefined where it is gone, or was none of ours. */
async function findLink({ netns, ifname }: CniRequest, { networks }: PluginParts): Promise<FoundLink | undefined> {
  const pod = netns === undefined ? undefined : await opened(networks, netns)
  if (pod === undefined) return undefined
  try {
    const link = await pod.link(ifname)
    if (link?.kind === 'veth') {
      const addresses = (await pod.addresses(ifname)).filter(({ scope }) => scope !== 'link')
      return { addresses, take: () => taken(pod, ifname) }
    }
  } catch (error) {
    pod.close()
    // Another DEL of the same container may end while this one looks.
    if (isRefused(error, 'ENODEV')) return undefined
    throw error
  }
  pod.close()
  return undefined
}

async function taken(pod: NamespaceNetwork, ifname: string): Promise<void> {
  try {
    await pod.deleteLink(ifname)
  } finally {
    pod.close()
  }
}

/** Undefined where it is gone, and its interfaces with it; a file that is no namespace was one before a restart. */
async function opened(networks: Networks, netns: string): Promise<NamespaceNetwork | undefined> {
  try {
    return await networks.open(netns)
  } catch (error) {
    if (isRefused(error, 'ENOENT', 'EINVAL')) return undefined
    throw error
  }
}

async function removeRules(
  request: CniRequest,
  parts: PluginParts,
  addresses: readonly AddressWithPrefix[],
): Promise<void> {
  const [holder, { masquerade, checksSpoofing }] = [holderOf(request), takenBack(request)]
  await forgetRules(holder, 'masquerade', parts)
  const remove = (by: Masquerade): Promise<boolean> => by.remove(holder, addresses)
  const chosen = masqueradeBy(masquerade, parts)
  const done = await Promise.allSettled([
    chosen && remove(chosen),
    removeOthers(masquerade, parts, remove),
    checksSpoofing ? spoofCheck(parts.kernel).remove(holder) : undefined,
  ])
  const failed = done.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/** The configuration may be another one since the pod came: what costs no process is looked for as well. */
async function removeOthers(
  choice: MasqueradeChoice,
  parts: PluginParts,
  remove: (by: Masquerade) => Promise<boolean>,
): Promise<void> {
  const others = otherMasquerades(choice, { ...parts, kernel: NO_PROGRAMS })
  for (const other of others) {
    await remove(other).catch(error => {
      if (!(error instanceof BackendAbsent)) throw error
    })
  }
}

const NO_PROGRAMS: Kernel = { run: async () => ({ code: NOT_FOUND, stdout: '', stderr: '' }) }

/** Without a list of what is valid there is nothing to compare with, and nothing goes. */
export async function collect(request: CniRequest, parts: PluginParts): Promise<void> {
  const ipam = ipamType(request)
  const { name: network, validAttachments } = request.config
  const steps: (() => Promise<void>)[] = []
  if (validAttachments !== undefined) {
    const holders = validAttachments.map(attachment => ({ network, ...attachment }))
    steps.push(() => forgetOthers({ network, valid: holders }, 'masquerade', parts))
    for (const masquerade of everyMasquerade(parts)) steps.push(() => masquerade.keepOnly(network, holders))
    steps.push(() => spoofCheck(parts.kernel).keepOnly(network, holders))
    steps.push(() => keepPorts(parts.networks, network, holders))
  }
  const failures: unknown[] = []
  for (const step of steps) await step().catch(error => failures.push(error))
  if (ipam !== undefined) await parts.delegates.gc(ipam, request).catch(error => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

function unique(addresses: readonly AddressWithPrefix[]): readonly AddressWithPrefix[] {
  return [...new Map(addresses.map(one => [one.address, one])).values()]
}
