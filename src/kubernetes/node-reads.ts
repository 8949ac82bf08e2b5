import { textOf } from './decode/checks.ts'
import { fieldsOf, unproven } from './decode/fields.ts'
import { decodeNode } from './decode/node.ts'
import type { Node } from './objects.ts'
import { type TimedRequests, timedAnswer, unexpected } from './writes/timed-answer.ts'

// The API server → one Node, or how many there are: as it has them now, never from a cache.

/** Undefined where there is no Node of this name. */
export async function readNode(requests: TimedRequests, name: string): Promise<Node | undefined> {
  const path = `/api/v1/nodes/${name}`
  const answer = await timedAnswer(requests, signal => requests.transport.get({ path, signal }))
  if (answer.status === 404) return undefined
  if (answer.status !== 200) throw unexpected(answer, `a read of Node ${name}`)
  const decoded = decodeNode(answer.json)
  if (decoded.ok && decoded.object.kind === 'Node') return decoded.object
  throw new Error(`Node ${name} cannot be used: ${decoded.problems.join('; ')}`)
}

/** One is listed, and the API server says how many more there are. */
export async function countNodes(requests: TimedRequests): Promise<number> {
  const counted = await listed(requests, '?limit=1')
  return counted ?? (await listed(requests, ''))!
}

/** Undefined where there are more, and their number is not said. */
async function listed(requests: TimedRequests, query: string): Promise<number | undefined> {
  const path = `/api/v1/nodes${query}`
  const answer = await timedAnswer(requests, signal => requests.transport.get({ path, signal }))
  if (answer.status !== 200) throw unexpected(answer, 'a list of Nodes')
  const { items, metadata } = fieldsOf(unproven<NodeList>(answer.json))
  const { remainingItemCount: more, ...page } = fieldsOf(metadata)
  if (!Array.isArray(items)) throw new Error('the API server answered with no list of Nodes')
  if (typeof more === 'number') return items.length + more
  return (textOf(page.continue) ?? '') === '' || query === '' ? items.length : undefined
}

interface NodeList {
  readonly items: readonly unknown[]
  readonly metadata: { readonly continue: string; readonly remainingItemCount: number }
}
