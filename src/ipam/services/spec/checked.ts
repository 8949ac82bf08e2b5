import { parseAddress } from '#values/address.ts'
import { type AllocationProblem, forbiddenValue, invalidValue } from '../allocation/refused.ts'
import { HEADLESS, hasClusterIP, hasNodePorts, isHeadless, nodePortsOf, type ServiceSpec } from './service-spec.ts'

// What is wrong with the addresses and families of a Service, by itself and beside what it was, before anything is allocated.

const FOR_EXTERNAL = 'may not be set for ExternalName services'

export function fieldProblems(spec: ServiceSpec): readonly AllocationProblem[] {
  return hasClusterIP(spec) ? [...clusterIPProblems(spec), ...portProblems(spec)] : externalProblems(spec)
}

function externalProblems(spec: ServiceSpec): readonly AllocationProblem[] {
  return [
    ...(spec.clusterIP ? [forbiddenValue('spec.clusterIP', FOR_EXTERNAL)] : []),
    ...((spec.clusterIPs ?? []).length > 0 ? [forbiddenValue('spec.clusterIPs', FOR_EXTERNAL)] : []),
    ...((spec.ipFamilies ?? []).length > 0 ? [forbiddenValue('spec.ipFamilies', FOR_EXTERNAL)] : []),
    ...(spec.ipFamilyPolicy !== undefined ? [forbiddenValue('spec.ipFamilyPolicy', FOR_EXTERNAL)] : []),
    ...portProblems(spec),
  ]
}

/** A type that has no node ports takes none, and a cluster IP is what theirs are reached by. */
function portProblems(spec: ServiceSpec): readonly AllocationProblem[] {
  if (hasNodePorts(spec)) {
    const why = `may not be set to 'None' for ${spec.type} services`
    return isHeadless(spec) ? [invalidValue('spec.clusterIPs[0]', HEADLESS, why)] : []
  }
  if (nodePortsOf(spec).length === 0) return []
  return (spec.ports ?? []).flatMap(({ nodePort }, i) =>
    nodePort
      ? [forbiddenValue(`spec.ports[${i}].nodePort`, `may not be used when \`type\` is '${spec.type ?? 'ClusterIP'}'`)]
      : [],
  )
}

function clusterIPProblems({ clusterIP = '', clusterIPs = [], ...spec }: ServiceSpec): readonly AllocationProblem[] {
  const wrong = (why: string) => [invalidValue('spec.clusterIPs', clusterIPs, why)]
  if (clusterIP === '' && clusterIPs.length > 0) return wrong('must be empty when `clusterIP` is not specified')
  if (clusterIP !== '' && clusterIPs[0] !== clusterIP) return wrong('first value must match `clusterIP`')
  if (clusterIPs.includes(HEADLESS)) {
    return clusterIPs.length > 1 ? wrong("'None' must be the first and only value") : familyProblems(spec)
  }
  if (clusterIPs.length > 2) return wrong('may only hold up to 2 values')
  const texts = clusterIPs.flatMap((ip, i) =>
    parseAddress(ip) === undefined
      ? [invalidValue(`spec.clusterIPs[${i}]`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
      : [],
  )
  if (texts.length > 0) return texts
  const families = clusterIPs.map(ip => (ip.includes(':') ? 'IPv6' : 'IPv4'))
  if (families.length === 2 && families[0] === families[1]) {
    return wrong('may specify no more than one IP for each IP family')
  }
  const mismatched = families.flatMap((family, i) => {
    const named = spec.ipFamilies?.[i]
    const why = `expected an ${named} value as indicated by \`ipFamilies[${i}]\``
    return named !== undefined && named !== family ? [invalidValue(`spec.clusterIPs[${i}]`, clusterIPs[i], why)] : []
  })
  return [...familyProblems(spec), ...mismatched]
}

const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const FAMILY_NAMES = ['IPv4', 'IPv6']

function familyProblems({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): readonly AllocationProblem[] {
  const families = ipFamilies.flatMap((family, i): readonly AllocationProblem[] => {
    const field = `spec.ipFamilies[${i}]`
    if (!FAMILY_NAMES.includes(family)) return [notSupported(field, family, FAMILY_NAMES)]
    if (ipFamilies.indexOf(family) === i) return []
    return [{ reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${JSON.stringify(family)}` }]
  })
  if (ipFamilyPolicy === undefined || POLICIES.includes(ipFamilyPolicy)) return families
  return [...families, notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES)]
}

function notSupported(field: string, value: unknown, known: readonly string[]): AllocationProblem {
  const values = known.map(one => JSON.stringify(one)).join(', ')
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`
  return { reason: 'FieldValueNotSupported', field, message }
}
