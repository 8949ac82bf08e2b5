import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { PacketsRefused } from '#system/packets/packet-link.ts'
import { holderOf, ownerOf } from '../owner.ts'
import type { CniPlugin } from '../plugin.ts'
import { type DhcpMachine, dhcpMachine, releaseLease, speakingOn } from './client.ts'
import { resultOf } from './dhcp-lease.ts'
import { endRecord } from './ended.ts'
import { type DhcpConfig, dhcpConfig } from './options.ts'

// `dhcp`: the address comes from a server on the pod's link. What it granted is written down, so that the daemon that runs
// next renews it, and a DEL releases it.

export const dhcp: CniPlugin = {
  type: 'dhcp',

  async add(request, parts) {
    const config = dhcpConfig(request)
    const machine = await dhcpMachine(parts)
    const { netns, ifname } = request
    const { stopping } = parts
    if (netns === undefined) throw new CniError(CODE.environment, 'required env variables [CNI_NETNS] missing')
    const at = { name: ifname, namespace: netns }
    // Before a server is asked: what fails then would keep an address there that is written down nowhere.
    const whose = { owner: await ownerOf(request, parts), boot: await parts.files.bootId() }
    await bringUp(at, machine)
    const lease = await speaking(ifname, () =>
      speakingOn(machine, { at, config, ...(stopping && { signal: stopping }) }, async exchange => {
        const got = await exchange.acquire(config.timeoutMs)
        if (got.outcome === 'granted') return got.lease
        const why = stopping?.aborted ? 'the daemon is stopping, and no DHCP server has answered yet' : got.why
        const details = `asked on ${ifname} in ${netns}: is a DHCP server on that link?`
        throw new CniError(CODE.tryAgainLater, `dhcp: ${why}`, details)
      }),
    )
    const record = recordOf(request, { ...whose, config, lease })
    try {
      await machine.book.put(record)
    } catch (error) {
      await releaseLease(record, machine)
      throw error
    }
    return resultOf(lease, config.priority)
  },

  /** Best effort, as the specification has it: without server, namespace or raw sockets it succeeds, too. */
  async del(request, parts) {
    const book = await parts.dhcpLeases?.()
    const record = await book?.remove(holderOf(request))
    if (record === undefined || parts.packets === undefined) return
    await releaseLease(record, await dhcpMachine(parts))
  },

  /** No exchange: the lease is looked up. */
  async check(request, parts) {
    const { book, clock, networks } = await dhcpMachine(parts)
    const record = await book.held(holderOf(request))
    if (record === undefined) throw gone(`no lease of container ${request.container} and interface ${request.ifname}`)
    const { address, expiresAt } = record.lease
    if (record.state === 'expired' || clock.now() > expiresAt) throw gone(`the lease of ${address} has expired`)
    const ips = request.config.prevResult?.ips ?? []
    if (ips.length > 0 && !ips.some(ip => ip.address === address)) {
      throw gone(`the lease is of ${address}, the result has ${ips.map(ip => ip.address).join(', ')}`)
    }
    const pod = await networks.open(request.netns)
    try {
      const present = await pod.addresses(request.ifname)
      if (!present.some(one => one.address === address)) throw gone(`${address} is not on ${request.ifname}`)
    } finally {
      pod.close()
    }
  },

  async status(_request, parts) {
    await dhcpMachine(parts)
  },

  async gc({ config }, parts) {
    const { validAttachments } = config
    if (validAttachments === undefined) return
    const isValid = ({ container, ifname }: Holder): boolean =>
      validAttachments.some(valid => valid.container === container && valid.ifname === ifname)
    for (const record of (await (await parts.dhcpLeases?.())?.all()) ?? []) {
      if (record.owner.network === config.name && !isValid(record.owner)) await endRecord(record, parts)
    }
  },
}

/** Nothing is sent over a link that is down. */
async function bringUp(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  { networks }: DhcpMachine,
): Promise<void> {
  await speaking(name, async () => {
    const pod = await networks.open(namespace)
    try {
      await pod.changeLink(name, { state: 'up' })
    } finally {
      pod.close()
    }
  })
}

async function speaking<T>(ifname: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NetworkRefused || error instanceof PacketsRefused)) throw error
    throw new CniError(CODE.io, `dhcp: cannot speak on ${ifname}: ${error.message}`)
  }
}

interface RecordParts extends Pick<DhcpRecord, 'owner' | 'boot' | 'lease'> {
  readonly config: DhcpConfig
}

function recordOf(request: CniRequest, { owner, boot, lease, config }: RecordParts): DhcpRecord {
  const { priority } = config
  const nodeLink = request.config.raw.bridge ?? request.config.raw.master
  return {
    owner,
    boot,
    lease,
    wanted: config.wanted,
    provided: [...config.provided].map(([code, value]) => [code, value.toString('hex')]),
    ...(priority !== undefined && { priority }),
    ...(typeof nodeLink === 'string' && { nodeLink }),
    state: 'bound',
    dueAt: lease.renewAt,
  }
}

function gone(what: string): CniError {
  return new CniError(CODE.internal, `dhcp: ${what}`, 'remove the pod, so that its successor asks anew')
}
