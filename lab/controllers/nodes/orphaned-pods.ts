import { type ClusterClient, keyIn, keyOf } from '#lab/client/cluster-client.ts'
import type { Node, Pod } from '#lab/client/objects.ts'
import { type Controller, type Decision, type Look, NOTHING } from '../loop/controller.ts'
import type { ControllerSettings } from '../settings.ts'

// Pods of nodes that are no more → removed at once: no kubelet is left to end them.

export function orphanedPods(client: Pick<ClusterClient, 'get'>, { orphanedPodMs }: ControllerSettings): Controller {
  /** Since when each has been without its node. */
  const since = new Map<string, number>()
  return {
    name: 'pod-garbage-collector',
    follows: [
      { kind: 'Pod', keys: (pod, look) => (isOrphaned(pod as Pod, look) ? [keyOf(pod)] : []) },
      { kind: 'Node', keys: (node, look) => (look.one('Node', keyOf(node)) ? [] : podsOn(keyOf(node), look)) },
    ],
    decide: async (key, look): Promise<Decision> => {
      const pod = look.one<Pod>('Pod', key)
      if (pod === undefined || !isOrphaned(pod, look)) {
        since.delete(key)
        return NOTHING
      }
      const start = since.get(key) ?? look.now
      since.set(key, start)
      const leftMs = start + orphanedPodMs - look.now
      if (leftMs > 0) return { writes: [], againMs: leftMs }
      // The watch of nodes may be behind that of pods.
      const node = await client.get<Node>('Node', keyIn(pod.spec?.nodeName ?? ''))
      if (node !== undefined) return { writes: [], againMs: orphanedPodMs }
      const message = `PodGC: node ${pod.spec?.nodeName} no longer exists`
      const note = { about: pod, type: 'Warning', reason: 'DeletionByPodGC', message } as const
      return { writes: [{ do: 'delete', object: pod, options: { gracePeriodSeconds: 0 }, note }] }
    },
  }
}

function isOrphaned({ spec }: Pod, look: Look): boolean {
  return Boolean(spec?.nodeName) && look.one('Node', spec?.nodeName ?? '') === undefined
}

function* podsOn(node: string, look: Look): Iterable<string> {
  for (const pod of look.all<Pod>('Pod')) if (pod.spec?.nodeName === node) yield keyOf(pod)
}
