import type { Pod, PodSpec } from '#lab/client/objects.ts'
import { type ContainerNow, type ContainerStands, NOTHING, type PodStands } from '#lab/kubelet/pod/stands.ts'

// Pods and what stands of them, for the tests of a kubelet.

export type ContainerSpec = PodSpec['containers'][number]

export function pod(spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-1', ...metadata },
    spec: { containers: [{ name: 'main' }], nodeName: 'node-1', ...spec },
  }
}

export function deleted(from: Pod, seconds = 30): Pod {
  const deletion = { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: seconds }
  return { ...from, metadata: { ...from.metadata, ...deletion } }
}

/** With its network, and these containers. */
export function up(containers: Readonly<Record<string, ContainerStands>> = {}): PodStands {
  return { ...NOTHING, sandbox: { is: 'up', ips: ['10.244.1.2', 'fd00:244:1::2'], since: 0 }, containers }
}

export function running(more: Partial<Extract<ContainerNow, { is: 'running' }>> = {}): ContainerStands {
  const now = { is: 'running', id: 'paper://1', startedAt: 0, isStarted: true, isReady: true, ...more } as const
  return { now, restarts: 0, backOff: 0 }
}

export function ended(exitCode: number, { restarts = 0, finishedAt = 0 } = {}): ContainerStands {
  const reason = exitCode === 0 ? 'Completed' : 'Error'
  return {
    now: { is: 'ended', end: { id: 'paper://1', exitCode, reason, startedAt: 0, finishedAt } },
    ...{ restarts, backOff: restarts },
  }
}
