import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { KINDS, nameOf } from '#lab/client/kinds.ts'
import type { ApiObject, Namespace } from '#lab/client/objects.ts'
import { isAbsent } from '#lab/client/refused.ts'
import { type Controller, type Decision, NOTHING, type Write } from '../loop/controller.ts'

// A namespace that is to be deleted → first what is in it goes, and then the namespace.

/** What is left of it is looked at again after this: pods need their time to end. */
const AGAIN_MS = 250

export function namespaces(client: Pick<ClusterClient, 'list'>): Controller {
  return {
    name: 'namespace-controller',
    follows: [{ kind: 'Namespace', keys: ({ metadata: { name = '' } }) => [name] }],
    decide: async (name, look) => {
      const namespace = look.one<Namespace>('Namespace', name)
      if (namespace?.metadata.deletionTimestamp === undefined) return NOTHING
      return namespaceDecision(namespace, await contentOf(client, name))
    },
  }
}

export function namespaceDecision(namespace: Namespace, content: readonly ApiObject[]): Decision {
  const writes = content
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((object): Write => ({ do: 'delete', object }))
  if (content.length > 0) return { writes, againMs: AGAIN_MS }
  const finalizers = namespace.spec?.finalizers ?? []
  if (!finalizers.includes(FINALIZER)) return NOTHING
  const spec = { ...namespace.spec, finalizers: finalizers.filter(it => it !== FINALIZER) }
  const object: Namespace = { ...namespace, spec }
  return { writes: [{ do: 'replace', object, subresource: 'finalize' }] }
}

const FINALIZER = 'kubernetes'

/** Asked for, not remembered: what is overlooked would stay for ever. */
async function contentOf(client: Pick<ClusterClient, 'list'>, namespace: string): Promise<readonly ApiObject[]> {
  const lists = KINDS.filter(({ namespaced }) => namespaced).map(kind =>
    client.list<ApiObject>(nameOf(kind), { namespace }).catch((error: unknown) => {
      if (isAbsent(error)) return []
      throw error
    }),
  )
  return (await Promise.all(lists)).flat()
}
