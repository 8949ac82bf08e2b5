import { networksOf } from '#cni/network/networks.ts'
import type { Invocation } from '#command-line/start.ts'
import type { ClusterFacts } from '#ipam/overview/cluster-facts.ts'
import { unreadable } from '#kubernetes/access/problem.ts'
import { writtenObjects } from '#kubernetes/sources/files.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { liveApi } from '#operator/source/live-api.ts'
import { systemClock } from '#system/clock.ts'
import { readStandardInput, readText } from '#system/files.ts'
import { complain } from '#system/output.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { apiCluster } from './api-cluster.ts'
import { factsOf } from './facts-of.ts'
import { hostRoutes } from './host-routes.ts'
import type { RawCluster, RawObject } from './raw-objects.ts'

// A command line → the facts about a cluster's ranges: of the objects in files, or of the API server.

export type RangesQuestion = Pick<Invocation, 'settings' | 'log'>

/** Looks anew with each call. */
export type ClusterSource = () => Promise<ClusterFacts>

export function clusterSource({ settings, log }: RangesQuestion): ClusterSource {
  const { clusterCIDRs, ranges, filenames } = settings
  const { serviceRanges, nodeMask, nodeMaskOf, nodePorts } = ranges
  const flags = { clusterCIDRs, serviceRanges, nodeMask, nodeMaskOf, nodePorts }
  const leftOut = (what: string): void => log.warning(`${what} (left out)`)
  if (filenames.length > 0) {
    return async () => factsOf(await filesCluster(filenames), { ...flags, hostRoutes: [] }, leftOut)
  }
  return async () => {
    const facts = factsOf(await liveCluster(settings, leftOut), { ...flags, hostRoutes: [] }, leftOut)
    return { ...facts, hostRoutes: await routesHere(facts.nodes.flatMap(({ addresses }) => addresses)) }
  }
}

async function liveCluster(settings: RangesQuestion['settings'], leftOut: (what: string) => void): Promise<RawCluster> {
  const { from, credentials } = await liveApi(settings)
  complain(`From ${from}.`)
  const transport = new ApiTransport({ credentials })
  try {
    return await apiCluster({ transport, clock: systemClock, leftOut })
  } finally {
    await transport.close()
  }
}

async function filesCluster(paths: readonly string[]): Promise<RawCluster> {
  const objects = writtenObjects(await Promise.all(paths.map(async path => ({ name: path, text: await textOf(path) }))))
  const of = (kind: string) => objects.filter(one => one.kind === kind).map(({ raw }) => raw as RawObject)
  // A file without IPAddresses says nothing of them, and one without pods nothing of pods.
  const ifAny = (kind: string) => (of(kind).length > 0 ? of(kind) : undefined)
  return {
    ...{ nodes: of('Node'), services: of('Service'), configMaps: of('ConfigMap') },
    ...{ serviceCIDRs: ifAny('ServiceCIDR'), addresses: ifAny('IPAddress'), pods: ifAny('Pod') },
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await (path === '-' ? readStandardInput() : readText(path))
  } catch (error) {
    throw new Error(`--filename (-f): cannot read ${path === '-' ? 'standard input' : path}: ${unreadable(error)}`)
  }
}

async function routesHere(nodeAddresses: readonly Address[]): Promise<readonly Cidr[]> {
  const network = await networksOf(hostKernel()).open()
  try {
    return await hostRoutes(network, nodeAddresses)
  } finally {
    network.close()
  }
}
