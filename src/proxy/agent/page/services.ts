import type { PageFeed } from '#page/feed.ts'
import type { EndpointCounts, ServiceSource } from '#page/views/services.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import { errorText } from '#telemetry/log/klog-format.ts'
import { FAMILIES } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import type { Agent } from '../agent.ts'
import { serviceOf } from '../owner.ts'
import { servedFamily } from './served-family.ts'

// The agent's cluster and lanes → Services for the page. Nothing is made before a page asks for it.

export function serviceSource(agent: Agent, feed: PageFeed): ServiceSource {
  const { cluster } = agent
  return {
    follow: changed => feed.follow(changed),
    isComplete: () => cluster.complete,
    services: () => cluster.services(),
    service: name => cluster.service(name as ObjectName),
    endpointCounts: service => counts(cluster, service, thisNode(agent)),
    hasEndpoint: (service, start) => hasEndpoint(cluster, service, start),
    refused: () =>
      new Map(
        agent.lanes.flatMap(({ refused }) =>
          refused.map(({ owner, error }) => [serviceOf(owner), errorText(error)] as const),
        ),
      ),
    families: service => agent.lanes.map(lane => servedFamily(service, lane, cluster)),
  }
}

function thisNode({ lanes }: Agent): string {
  return lanes[0]?.draft.nodeFacts?.thisNode.nodeName ?? ''
}

/** Addresses, each once: of a Service with several ports, one endpoint serves all of them, and of a dual-stack one, a pod counts in each family. */
function counts(cluster: Cluster, service: ObjectName, nodeName: string): EndpointCounts {
  const [all, ready, local] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const family of FAMILIES) {
    for (const slice of cluster.slices(service, family)) {
      for (const endpoint of slice.endpoints) {
        all.add(endpoint.ip)
        if (endpoint.ready) ready.add(endpoint.ip)
        if (endpoint.nodeName !== undefined && endpoint.nodeName === nodeName) local.add(endpoint.ip)
      }
    }
  }
  return { total: all.size, ready: ready.size, local: local.size }
}

function hasEndpoint(cluster: Cluster, service: ObjectName, start: string): boolean {
  const address = start.replace(/^\[|\](?::\d*)?$/g, '').replace(/^([\d.]+):\d*$/, '$1')
  return FAMILIES.some(family =>
    cluster.slices(service, family).some(({ endpoints }) => endpoints.some(({ ip }) => ip.startsWith(address))),
  )
}
