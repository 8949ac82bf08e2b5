import type { EndpointSlice, SliceEndpoint, SlicePort } from '#kubernetes/objects.ts'
import { type Address, type Family, hostPort } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'

// EndpointSlices → the endpoints of a service port, each address and port once, whatever order the slices came in.

/** One address and port behind a service port, with the conditions its slice gives. */
export interface KnownEndpoint extends SliceEndpoint {
  readonly port: number
  /** `10.244.1.2:3306` */
  readonly text: string
}

export class Slices {
  readonly #slices = new Map<ObjectName, EndpointSlice>()
  readonly #byService = new Map<ObjectName, Set<ObjectName>>()

  /** Returns the Services that may have changed: two where the slice's label names another Service than before. */
  put(slice: EndpointSlice): readonly ObjectName[] {
    const touched = this.remove(slice.name)
    this.#slices.set(slice.name, slice)
    const names = this.#byService.get(slice.service) ?? new Set()
    names.add(slice.name)
    this.#byService.set(slice.service, names)
    return touched.includes(slice.service) ? touched : [...touched, slice.service]
  }

  remove(name: ObjectName): readonly ObjectName[] {
    const slice = this.#slices.get(name)
    if (slice === undefined) return []
    this.#slices.delete(name)
    const names = this.#byService.get(slice.service)
    names?.delete(name)
    if (names?.size === 0) this.#byService.delete(slice.service)
    return [slice.service]
  }

  get(name: ObjectName): EndpointSlice | undefined {
    return this.#slices.get(name)
  }

  /** In the order of the slices' names. */
  of(service: ObjectName, family: Family): readonly EndpointSlice[] {
    const names = [...(this.#byService.get(service) ?? [])].sort()
    return names.map(name => this.#slices.get(name)!).filter(slice => slice.family === family)
  }
}

/** Every endpoint of one service port, sorted by its text. */
export function endpointsOf(
  slices: readonly EndpointSlice[],
  portName: string,
  protocol: Protocol,
): readonly KnownEndpoint[] {
  const found = new Map<string, KnownEndpoint>()
  for (const slice of slices) {
    for (const port of slice.ports) {
      if (port.name === portName && port.protocol === protocol) collect(slice, port, found)
    }
  }
  return [...found.values()].sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
}

function collect(slice: EndpointSlice, { port }: SlicePort, found: Map<string, KnownEndpoint>): void {
  for (const endpoint of slice.endpoints) {
    const text = hostPort(endpoint.ip as Address, port)
    const known = found.get(text)
    if (known === undefined || liveness(endpoint) > liveness(known)) found.set(text, { ...endpoint, port, text })
  }
}

/** While a pod moves between slices it stands in two, and one lags behind: the better condition counts. */
function liveness({ ready, serving, terminating }: SliceEndpoint): number {
  return (terminating ? 0 : 4) + (ready ? 2 : 0) + (serving ? 1 : 0)
}
