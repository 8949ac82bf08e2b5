import { ROUTE_PROTOCOL } from '#routes/plan/route-plan.ts'
import type { NamespaceNetwork } from '#system/network/network.ts'
import { type Address, FAMILIES } from '#values/address.ts'
import { type Cidr, prefixLength } from '#values/cidr.ts'

/**
 * Where this host is a node of the cluster, where its routes lead, but for ours to other nodes; those of an operator's own
 * machine say nothing of the cluster.
 */
export async function hostRoutes(
  network: Pick<NamespaceNetwork, 'addresses' | 'routes'>,
  nodeAddresses: readonly Address[],
): Promise<readonly Cidr[]> {
  const own = new Set((await network.addresses()).map(({ address }) => address))
  if (!nodeAddresses.some(address => own.has(address))) return []
  const routes = await Promise.all(FAMILIES.map(family => network.routes(family)))
  const destinations = routes
    .flat()
    .filter(({ protocol }) => protocol !== ROUTE_PROTOCOL)
    .map(({ destination }) => destination)
  // A default route leads to all that has no other.
  return [...new Set(destinations)].filter(cidr => prefixLength(cidr) > 0)
}
