import { same } from '#values/same.ts'
import type { Event } from './event.ts'
import type { Node } from './objects.ts'

// Events of a watch → of each Node what one who watches needs, and whether any of that has changed.

export class NodePicture<T> {
  readonly #partOf: (node: Node) => T
  readonly #nodes = new Map<string, T>()
  #isWhole = false

  constructor(partOf: (node: Node) => T) {
    this.#partOf = partOf
  }

  /** True once all Nodes are here: one that is missing before then is not gone. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** False for the heartbeats of kubelets, which are nearly all events of a Node. */
  apply(event: Event): boolean {
    if (event.type === 'put') return event.object.kind === 'Node' && this.#put(event.object)
    if (event.type === 'problem' || event.kind !== 'Node') return false
    if (event.type === 'gone') return this.#nodes.delete(event.name)
    const wasWhole = this.#isWhole
    this.#isWhole = true
    return !wasWhole
  }

  list(): readonly T[] {
    return [...this.#nodes.values()]
  }

  #put(node: Node): boolean {
    const part = this.#partOf(node)
    if (same(part, this.#nodes.get(node.name))) return false
    this.#nodes.set(node.name, part)
    return true
  }
}
