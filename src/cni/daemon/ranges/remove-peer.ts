import type { Settings } from '#config/settings.ts'
import { peersNamed, removePeer } from '#ipam/ring/removal.ts'
import type { Ring, RingPeer } from '#ipam/ring/ring.ts'
import type { Credentials } from '#kubernetes/access/credentials.ts'
import { uidOfNode } from '#kubernetes/writes/node-cidrs.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { type ApiSettings, type NodeApi, nodeApi } from '../rounds/node-api.ts'
import { ringStore } from './ring-store.ts'

// `ipam rmpeer NODE`: what a node that is gone has of the ring becomes this node's, now and not after a while.

export interface RemovePeerParts {
  readonly settings: ApiSettings & Pick<Settings, 'ipam'>
  readonly kernel: Kernel
  readonly clock: Clock
  /** Of the API server, where the settings name none. */
  readonly credentials?: Credentials
}

export async function removedByHand(what: string, parts: RemovePeerParts): Promise<string> {
  const { settings, clock } = parts
  const api = await nodeApi(parts)
  if (api === undefined)
    throw new Error('ipam rmpeer: no API server is configured: --kubeconfig or --master says where it is')
  try {
    const requests = async () => ({ transport: await api.transport(), clock })
    const store = ringStore(requests)
    const uidOf = async (name: string) => uidOfNode(await requests(), name)
    const { ring } = await store.read()
    if (ring === undefined) throw new Error('ipam rmpeer: there is no ring in this cluster')
    const heir = await heirIn(ring, api, uidOf)
    const gone = await goneAmong(peersIn(ring, what, heir), uidOf, settings.ipam.force)
    const lines: string[] = []
    for (const peer of gone) {
      const addresses = await removePeer(store, { gone: peer, heir }, { clock, random: Math.random })
      lines.push(`${peer.name} (uid ${peer.uid || 'not known'}): ${addresses} addresses are of ${heir.name} now`)
    }
    return lines.join('\n')
  } finally {
    await api.close()
  }
}

async function heirIn(
  ring: Ring,
  api: NodeApi,
  uidOf: (name: string) => Promise<string | undefined>,
): Promise<RingPeer> {
  const uid = await uidOf(api.nodeName)
  const heir = ring.peers.find(peer => peer.name === api.nodeName && peer.uid === uid)
  if (heir !== undefined) return heir
  throw new Error(`ipam rmpeer: node ${api.nodeName} takes no part in the ring; run it on a node that does`)
}

function peersIn(ring: Ring, what: string, heir: RingPeer): readonly RingPeer[] {
  const named = peersNamed(ring, what).filter(({ uid }) => uid !== heir.uid)
  if (named.length > 0) return named
  if (peersNamed(ring, what).length > 0) throw new Error(`ipam rmpeer: ${what} is this node; run it on another one`)
  const others = [...new Set(ring.tokens.filter(({ uid }) => uid !== heir.uid).map(({ name }) => name))]
  const known = others.slice(0, 10).join(', ') + (others.length > 10 ? ` and ${others.length - 10} more` : '')
  throw new Error(`ipam rmpeer: the ring knows no ${JSON.stringify(what)}; other nodes in it: ${known || 'none'}`)
}

/** Of one name, those that were there before; the one that is there is kept unless it is forced. */
async function goneAmong(
  named: readonly RingPeer[],
  uidOf: (name: string) => Promise<string | undefined>,
  isForced: boolean,
): Promise<readonly RingPeer[]> {
  const looked = await Promise.all(named.map(async peer => ({ peer, isThere: (await uidOf(peer.name)) === peer.uid })))
  const gone = looked.filter(({ isThere }) => isForced || !isThere).map(({ peer }) => peer)
  if (gone.length > 0) return gone
  const { name, uid } = named[0]!
  throw new Error(
    `ipam rmpeer: Node ${name} (uid ${uid}) is there; with --force its addresses are taken all the same, and its pods may meet others that have them`,
  )
}
