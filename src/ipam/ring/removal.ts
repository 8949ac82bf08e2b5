import type { Clock } from '#system/ports.ts'
import { merged, takenOver } from './changes.ts'
import type { RingStore } from './member.ts'
import { faultsOf, isSame, ownedBy, type Ring, type RingPeer } from './ring.ts'

// A peer that an operator says is gone → the ring in which its addresses are another's. Without a journal: the heir learns what
// is its own when it reads the ring, as of any other change.

const TRIES = 30
const PAUSE_MS = 200

export interface Removal {
  readonly gone: RingPeer
  readonly heir: RingPeer
}

/** How many addresses went. */
export async function removePeer(
  store: RingStore,
  { gone, heir }: Removal,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await store.read()
    if (before.ring === undefined) return 0
    const size = addressesOf(before.ring, gone)
    const after = merged(takenOver(before.ring, gone, heir), heir)
    if (after === before.ring) return size
    const [fault] = faultsOf(after)
    if (fault !== undefined) throw new Error(`the ring is damaged: ${fault}`)
    if ((await store.write({ ...after, revision: before.ring.revision + 1 }, before)) !== 'conflict') return size
    await clock.sleep(random() * PAUSE_MS)
  }
  throw new Error(`the ring was changed by others ${TRIES} times in a row`)
}

export function addressesOf(ring: Ring, peer: RingPeer): number {
  return ring.tokens.reduce((sum, token, i) => {
    if (!isSame(token, peer)) return sum
    const { start, end } = ownedBy(ring, i)
    return sum + end - start
  }, 0)
}

/** By name or uid: all that the ring knows, whether or not they own addresses. */
export function peersNamed(ring: Ring, what: string): readonly RingPeer[] {
  const found = new Map<string, RingPeer>()
  for (const { name, uid } of [...ring.tokens, ...ring.peers, ...ring.requests]) {
    if (name === what || (uid !== '' && uid === what)) found.set(`${name} ${uid}`, { name, uid })
  }
  return [...found.values()]
}
