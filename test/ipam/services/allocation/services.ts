import { allocate } from '#ipam/services/allocation/allocate.ts'
import { ServicePool, type ServicePoolOptions } from '#ipam/services/allocation/pool.ts'
import { AllocationRefused } from '#ipam/services/allocation/refused.ts'
import { addressesOf, heldPorts, type ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import type { Cidr } from '#values/cidr.ts'

// Services on paper: each draws from what the others leave, as behind the API server.

export const SINGLE = ['10.96.0.0/16'] as Cidr[]
export const DUAL = ['10.96.0.0/16', 'fd00:96::/112'] as Cidr[]

export class PaperServices {
  readonly specs = new Map<string, ServiceSpec>()
  readonly #options: Partial<ServicePoolOptions>

  constructor(options: Partial<ServicePoolOptions> = {}) {
    this.#options = options
  }

  /** Creates or replaces. */
  put(name: string, sent: ServiceSpec, run: 'real' | 'dry' = 'real'): ServiceSpec {
    const all = [...this.specs.values()]
    const addresses = new Set<string>(all.flatMap(addressesOf))
    const ports = new Set(all.flatMap(heldPorts))
    const pool = new ServicePool({
      cidrs: SINGLE,
      nodePorts: { first: 30_000, last: 32_767 },
      isAddressTaken: ip => addresses.has(ip),
      isPortTaken: port => ports.has(port),
      random: () => 0,
      run,
      ...this.#options,
    })
    const spec = allocate({ type: 'ClusterIP', ...sent }, this.specs.get(name), pool)
    if (run === 'real') this.specs.set(name, spec)
    return spec
  }

  refusal(name: string, sent: ServiceSpec, run: 'real' | 'dry' = 'real'): string {
    try {
      this.put(name, sent, run)
    } catch (error) {
      if (!(error instanceof AllocationRefused)) throw error
      return error.internal === undefined ? error.message : `internal: ${error.internal}`
    }
    throw new Error('it was not refused')
  }
}
