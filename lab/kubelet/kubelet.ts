import { Buffer } from 'node:buffer'
import type { Followed } from '#lab/client/cluster-client.ts'
import type { ApiObject, Pod } from '#lab/client/objects.ts'
import { isAbsent, isConflict } from '#lab/client/refused.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import type { Kubelet, KubeletParts } from './kubelet-parts.ts'
import { machineFacts } from './node/machine.ts'
import { reportNode } from './node/node-reports.ts'
import { environmentOf, type MapKind } from './pod/environment.ts'
import { carryOut } from './probes/checks.ts'
import { PodEvents } from './reports/pod-events.ts'
import { StatusReports } from './reports/status-reports.ts'
import { openRuntime } from './runtime/open-runtime.ts'
import type { PodRuntime } from './runtime/pod-runtime.ts'
import { PodRequests } from './streams/pod-requests.ts'
import { NodePods } from './worker/node-pods.ts'
import { turns } from './worker/turns.ts'

// The kubelet of one node: the pods that the API has for it run, and are reported as they are.

/** Sandboxes made or removed side by side. */
const AT_ONCE = 8

export function startKubelet(parts: KubeletParts): Kubelet {
  const { client, node, clock, renewMs, warn = () => {} } = parts
  const stop = new AbortController()
  const ready = Promise.withResolvers<void>()
  const statuses = new StatusReports({ client, clock, warn })
  const events = new PodEvents({ client, clock, nodeName: node.name, warn })
  let pods: NodePods | undefined
  let followed: Followed<Pod> | undefined
  let runtime: PodRuntime | undefined

  async function start(): Promise<void> {
    const opened = await openRuntime(parts, hostKernel())
    runtime = opened
    const begun = nodePods(opened, await opened.standing())
    if (stop.signal.aborted) return
    pods = begun
    followed = client.follow<Pod>(
      'Pod',
      { fieldSelector: `spec.nodeName=${node.name}` },
      {
        changed: pod => {
          statuses.seen(pod)
          begun.changed(pod)
        },
        gone: pod => begun.gone(pod),
      },
    )
    await followed.synced
    await Promise.all([begun.removeLeftovers(stop.signal), report(opened)])
  }

  function nodePods(opened: PodRuntime, standing: Awaited<ReturnType<PodRuntime['standing']>>): NodePods {
    const hostIPs = addressesOf(node)
    return new NodePods({
      ...{ runtime: opened, standing, clock, hostIPs, nodeNetns: node.namespace, carryOut, inTurn: turns(AT_ONCE) },
      environment: (pod, container, podIPs) => {
        const find = (kind: MapKind, name: string) => mapNamed(kind, pod.metadata.namespace ?? 'default', name)
        return environmentOf(pod, container, { nodeName: node.name, hostIPs, podIPs, find })
      },
      report: (pod, status) => statuses.report(pod, status),
      event: (pod, event) => events.send(pod, event),
      ended: pod => statuses.forget(pod),
      finish: finished,
    })
  }

  async function finished({ metadata: { namespace = 'default', name = '', uid = '' } }: Pod): Promise<void> {
    try {
      await client.delete('Pod', { namespace, name }, { gracePeriodSeconds: 0, uid })
    } catch (error) {
      // Another pod has its name by now.
      if (!isConflict(error) && !isAbsent(error)) throw error
    }
  }

  async function mapNamed(kind: MapKind, namespace: string, name: string) {
    const map = await client.get<ApiObject & { readonly data?: Record<string, string> }>(kind, { namespace, name })
    if (map === undefined || kind === 'ConfigMap') return map === undefined ? undefined : (map.data ?? {})
    const plain = Object.entries(map.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])
    return Object.fromEntries(plain) as Record<string, string>
  }

  function report(opened: PodRuntime): Promise<void> {
    const machine = machineFacts(opened.version)
    const facts = async () => {
      const problem = await opened.networkProblem()
      return { name: node.name, addresses: addressesOf(node), ...machine, problem, now: clock.now() }
    }
    const often = renewMs === undefined ? {} : { renewMs }
    return reportNode({ client, clock, facts, warn, ready: ready.resolve, signal: stop.signal, ...often })
  }

  const working = start().catch((error: Error) => {
    ready.reject(error)
    if (!stop.signal.aborted) warn(`kubelet ${node.name}: ${error.message}`)
  })
  // A caller that does not wait for it hears of it by `warn`.
  ready.promise.catch(() => {})
  const requests = new PodRequests(() => pods)
  return {
    nodeName: node.name,
    ready: ready.promise,
    logs: (pod, options) => requests.logs(pod, options),
    exec: (pod, options) => requests.exec(pod, options),
    async close() {
      stop.abort()
      followed?.close()
      await working
      statuses.close()
      await pods?.close()
      await runtime?.close()
    },
  }
}

function addressesOf({ ip4, ip6 }: KubeletParts['node']): readonly string[] {
  return ip6 === undefined ? [ip4] : [ip4, ip6]
}
