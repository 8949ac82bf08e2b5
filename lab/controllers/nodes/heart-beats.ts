import type { Condition, Lease, Node } from '#lab/client/objects.ts'
import { conditionOf } from '../facts/pod-facts.ts'

// Leases and Nodes → when each node was last seen to renew one of them, by our clock: that of the node may be wrong.

interface Beat {
  readonly uid: string | undefined
  readonly renewed: string | undefined
  /** What the kubelet last said of itself, and when by its own clock. */
  readonly posted: string
  readonly at: number
}

export class HeartBeats {
  readonly #beats = new Map<string, Beat>()

  heard(node: Node, lease: Lease | undefined, now: number): number {
    const { name = '', uid } = node.metadata
    const before = this.#beats.get(name)
    const ready = conditionOf(node, 'Ready') as (Condition & { readonly lastHeartbeatTime?: string }) | undefined
    const renewed = lease?.spec?.renewTime
    const posted = `${ready?.status} ${ready?.lastHeartbeatTime}`
    // That it is unknown was written here, and is no sign of life.
    const isQuiet = before?.posted === posted || ready?.status === 'Unknown'
    const isSame = before?.uid === uid && before?.renewed === renewed && isQuiet
    const at = isSame && before !== undefined ? before.at : now
    this.#beats.set(name, { uid, renewed, posted, at })
    return at
  }

  forget(name: string): void {
    this.#beats.delete(name)
  }
}
