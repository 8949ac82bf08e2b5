import { parseAddress } from '#values/address.ts'
import { hasClusterIP, type IPFamily, isHeadless, type ServiceSpec } from '../spec/service-spec.ts'
import { isUntouchedPreference } from './families.ts'
import type { ServicePool } from './pool.ts'
import { AllocationRefused, invalidValue } from './refused.ts'

// A Service whose families are settled → the same with an address of each, drawn from the pool.

export function withClusterIPs(spec: ServiceSpec, before: ServiceSpec | undefined, pool: ServicePool): ServiceSpec {
  if (!hasClusterIP(spec) || isHeadless(spec) || isUntouchedPreference(spec, before)) return spec
  const own = new Set(before !== undefined && hasClusterIP(before) ? before.clusterIPs : [])
  const { clusterIPs = [], ipFamilies = [] } = spec
  const all = ipFamilies.map((family, i) => {
    const asked = clusterIPs[i]
    return asked !== undefined && own.has(asked) ? asked : drawn({ asked, family, clusterIPs }, pool)
  })
  // One that was stored without families keeps its address all the same.
  const list = all.length > 0 ? all : clusterIPs
  return list[0] === undefined ? spec : { ...spec, clusterIP: list[0], clusterIPs: list }
}

interface AddressRequest {
  readonly asked: string | undefined
  readonly family: IPFamily
  readonly clusterIPs: readonly string[]
}

function drawn({ asked, family, clusterIPs }: AddressRequest, pool: ServicePool): string {
  const address = parseAddress(asked)
  if (address === undefined) {
    const outcome = pool.nextAddress(family)
    if (outcome.ok) return outcome.value
    throw new AllocationRefused({ internal: `failed to allocate a serviceIP: ${outcome.problem}` })
  }
  const outcome = pool.claimAddress(address)
  if (outcome.ok) return outcome.value
  const why = `failed to allocate IP ${address}: ${outcome.problem}`
  throw new AllocationRefused({ problems: [invalidValue('spec.clusterIPs', clusterIPs, why)] })
}
