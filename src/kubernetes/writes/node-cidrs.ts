import type { Cidr } from '#values/cidr.ts'
import { textOf } from '../decode/checks.ts'
import { fieldsOf, unproven } from '../decode/fields.ts'
import { type TimedRequests, timedAnswer, unexpected } from './timed-answer.ts'

// The ranges of a node's pods → its Node object, once: the API server does not let them be changed.

export interface PodCIDRs {
  readonly name: string
  /** Of the only object that may be changed so. */
  readonly uid: string
  readonly podCIDRs: readonly Cidr[]
}

/** As the API server has it now, never from a cache. Undefined where there is no Node of this name. */
export async function uidOfNode(requests: TimedRequests, name: string): Promise<string | undefined> {
  const answer = await timedAnswer(requests, signal => requests.transport.get({ path: pathOf(name), signal }))
  if (answer.status === 404) return undefined
  const { metadata } = fieldsOf(unproven<NodeText>(answer.json))
  const uid = textOf(fieldsOf(metadata).uid)
  if (answer.status !== 200 || uid === undefined) throw unexpected(answer, `a read of Node ${name}`)
  return uid
}

/** `refused`, with the answer: the Node is gone, is another object by now, or has others. Rejects where it is not known. */
export async function setPodCIDRs(
  requests: TimedRequests,
  { name, uid, podCIDRs }: PodCIDRs,
): Promise<'set' | { readonly refused: string }> {
  // A uid that differs is refused by the API server: the patch would change it.
  const body = JSON.stringify({ metadata: { uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } })
  const answer = await timedAnswer(requests, signal => requests.transport.patch({ path: pathOf(name), body, signal }))
  if (answer.status === 200) return 'set'
  const error = unexpected(answer, `podCIDRs of Node ${name}`)
  if (REFUSALS.includes(answer.status)) return { refused: error.message }
  throw error
}

/** Gone; another uid; another uid, or podCIDRs that differ. */
const REFUSALS: readonly number[] = [404, 409, 422]

function pathOf(name: string): string {
  return `/api/v1/nodes/${name}`
}

interface NodeText {
  readonly metadata: { readonly uid: string }
}
