import { type AllocationProblem, invalidValue } from '../allocation/refused.ts'
import { hasClusterIP, hasHealthCheckPort, isHeadless, type ServiceSpec } from './service-spec.ts'

// A change of a Service → what of it cannot be: its first address and family are its own for as long as it has any.

const SET = 'may not change once set'

export function changeProblems(spec: ServiceSpec, before: ServiceSpec): readonly AllocationProblem[] {
  if (!hasClusterIP(spec) || !hasClusterIP(before)) return []
  return [...addressProblems(spec, before), ...familyProblems(spec, before), ...healthCheckProblems(spec, before)]
}

function addressProblems(spec: ServiceSpec, before: ServiceSpec): readonly AllocationProblem[] {
  if (isHeadless(spec) && isHeadless(before)) return []
  const [now, then] = [spec.clusterIPs ?? [], before.clusterIPs ?? (before.clusterIP ? [before.clusterIP] : [])]
  const changed = (i: number) => invalidValue(`spec.clusterIPs[${i}]`, now, SET)
  if (now.length === then.length) return then.flatMap((ip, i) => (ip === now[i] ? [] : [changed(i)]))
  if (then.length > 0 && now.length === 0) {
    return [invalidValue('spec.clusterIPs[0]', now, 'primary clusterIP can not be unset')]
  }
  const first = then[0] !== undefined && now[0] !== then[0] ? [changed(0)] : []
  if (now.length > then.length || spec.ipFamilyPolicy === 'SingleStack') return first
  const why = "must be set to 'SingleStack' when releasing the secondary clusterIP"
  return [...first, invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why)]
}

function familyProblems(spec: ServiceSpec, before: ServiceSpec): readonly AllocationProblem[] {
  const [now, then] = [spec.ipFamilies ?? [], before.ipFamilies ?? []]
  if (isHeadless(spec) && isHeadless(before)) return []
  const both = Math.min(now.length, then.length)
  return then
    .slice(0, both)
    .flatMap((family, i) => (family === now[i] ? [] : [invalidValue(`spec.ipFamilies[${i}]`, now, SET)]))
}

/** Where the Service had one, and goes on needing one. */
function healthCheckProblems(spec: ServiceSpec, before: ServiceSpec): readonly AllocationProblem[] {
  const had = before.healthCheckNodePort
  if (!hasHealthCheckPort(spec) || !hasHealthCheckPort(before) || !had || spec.healthCheckNodePort === had) return []
  return [invalidValue('spec.healthCheckNodePort', spec.healthCheckNodePort, 'field is immutable')]
}
