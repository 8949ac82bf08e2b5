import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import type { Resource } from '../requests/resources.ts'
import { changeAddresses } from './ip-addresses.ts'
import { endServiceCIDRs } from './service-cidr-life.ts'

// Objects into the store and out of it, and what goes with them: the IPAddresses of a Service, ranges that were waiting to go.

export interface ObjectChange {
  readonly before: ApiObject | undefined
  readonly after: ApiObject
}

export function writeObject(store: ApiStore, resource: Resource, { before, after }: ObjectChange): ApiObject {
  const addresses = resource.kind === 'Service' ? changeAddresses(store, { before, after }) : undefined
  addresses?.take()
  const stored = store.write(resource, after)
  addresses?.release()
  endRanges(store, resource)
  return stored
}

export function eraseObject(store: ApiStore, resource: Resource, object: ApiObject): ApiObject | undefined {
  const gone = store.erase(resource, object.metadata.namespace, object.metadata.name!)
  if (resource.kind === 'Service') changeAddresses(store, { before: object, after: undefined }).release()
  endRanges(store, resource)
  return gone
}

function endRanges(store: ApiStore, { kind }: Resource): void {
  if (kind === 'Service' || kind === 'IPAddress' || kind === 'ServiceCIDR') endServiceCIDRs(store)
}
