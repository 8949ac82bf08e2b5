import type { Clock } from '#system/ports.ts'
import { fieldsOf, isObject, listOf, unproven } from './decode/fields.ts'
import { decodePod, type NodePod } from './decode/pod.ts'
import type { ApiTransport } from './transport.ts'

// A node's name → the pods that the API server has on it, now. No watch: it is asked only where there is doubt.

export interface PodListParts {
  readonly transport: Pick<ApiTransport, 'get'>
  readonly nodeName: string
  readonly clock: Clock
  /** Until the whole list is here. */
  readonly withinMs?: number
}

const WITHIN_MS = 10_000
const PAGE = '500'

/** Rejects where the list is not whole: a part of it would leave out pods that run. */
export async function podsOnNode({
  transport,
  nodeName,
  clock,
  withinMs = WITHIN_MS,
}: PodListParts): Promise<readonly NodePod[]> {
  const [over, done] = [new AbortController(), new AbortController()]
  void clock.sleep(withinMs, done.signal).then(() => over.abort(new Error(`no list of pods for ${withinMs / 1000} s`)))
  try {
    const pods: NodePod[] = []
    for (let token = ''; ; ) {
      const query = {
        fieldSelector: `spec.nodeName=${nodeName}`,
        limit: PAGE,
        ...(token !== '' && { continue: token }),
      }
      const path = `/api/v1/pods?${new URLSearchParams(query)}`
      const { status, body } = await transport.get({ path, signal: over.signal })
      const text = await body.text()
      if (status !== 200) throw new Error(`the API server answered ${status} to a list of pods${messageIn(text)}`)
      const page = pageOf(text)
      pods.push(...page.pods)
      if (page.next === '') return pods
      token = page.next
    }
  } finally {
    done.abort()
  }
}

interface PodPage {
  readonly pods: readonly NodePod[]
  /** Empty on the last one. */
  readonly next: string
}

interface PodListText {
  readonly items: readonly object[]
  readonly metadata: { readonly continue: string }
}

function pageOf(text: string): PodPage {
  const list = fieldsOf(unproven<PodListText>(parsed(text)))
  // Go writes an empty list that was never filled as null.
  const items = list.items === null ? [] : listOf(list.items)
  if (items === undefined) throw new Error('the API server answered without items to a list of pods')
  const pods = items.map(decodePod)
  if (pods.includes(undefined)) throw new Error('the API server listed a pod without name, namespace or uid')
  const { continue: next } = fieldsOf(list.metadata)
  return { pods: pods.filter(pod => pod !== undefined), next: typeof next === 'string' ? next : '' }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('the API server answered a list of pods with what is not JSON')
  }
}

function messageIn(text: string): string {
  try {
    const status: unknown = JSON.parse(text)
    return isObject(status) && 'message' in status ? `: ${status.message}` : ''
  } catch {
    return ''
  }
}
