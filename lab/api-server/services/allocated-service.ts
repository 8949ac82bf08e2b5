import { allocate } from '#ipam/services/allocation/allocate.ts'
import { ServicePool } from '#ipam/services/allocation/pool.ts'
import { AllocationRefused } from '#ipam/services/allocation/refused.ts'
import { addressesOf, heldPorts } from '#ipam/services/spec/service-spec.ts'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import type { PortRange } from '#values/port-range.ts'
import { internalError, invalid } from '../requests/refusals.ts'
import { IP_ADDRESSES } from '../requests/resources.ts'
import { specOf } from './ip-addresses.ts'
import { readyRanges } from './service-ranges.ts'

// A Service with its defaults → the same with what it draws from the ranges, or kube-apiserver's refusal. Nothing is written.

export interface ServiceAllocation {
  readonly nodePorts: PortRange
  /** Where in a band the search for a free number begins: at least 0, less than 1. */
  readonly random: () => number
}

export interface AllocationRequest extends ServiceAllocation {
  readonly before: ApiObject | undefined
  readonly run: 'real' | 'dry'
}

export function allocatedService(store: ApiStore, service: ApiObject, request: AllocationRequest): ApiObject {
  const { before } = request
  try {
    const spec = allocate(specOf(service), before && specOf(before), poolOf(store, request))
    return { ...service, spec }
  } catch (error) {
    if (!(error instanceof AllocationRefused)) throw error
    if (error.internal !== undefined) throw internalError(error.internal)
    throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', error.problems)
  }
}

/** Services are looked through only where one asks for something new. What it gives up itself is free only afterwards. */
function poolOf(store: ApiStore, { nodePorts, random, run }: AllocationRequest): ServicePool {
  let addresses: ReadonlySet<string> | undefined
  let ports: ReadonlySet<number> | undefined
  const specs = () => store.list('Service').map(specOf)
  const heldAddresses = () => (addresses ??= new Set(specs().flatMap(addressesOf)))
  const portsInUse = () => (ports ??= new Set(specs().flatMap(heldPorts)))
  return new ServicePool({
    cidrs: readyRanges(store.list('ServiceCIDR')),
    nodePorts,
    // A Service that a test has put into the store has no IPAddress.
    isAddressTaken: ip => store.get(IP_ADDRESSES, undefined, ip) !== undefined || heldAddresses().has(ip),
    isPortTaken: port => portsInUse().has(port),
    random,
    run,
  })
}
