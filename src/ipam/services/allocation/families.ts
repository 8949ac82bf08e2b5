import { HEADLESS, hasClusterIP, type IPFamily, isHeadless, type ServiceSpec } from '../spec/service-spec.ts'
import { ipFamilyOf } from './pool.ts'
import { type AllocationProblem, invalidValue, refuseWith } from './refused.ts'

// What a Service says of its IP families → all that it leaves unsaid, in a cluster with these families; or a refusal.

const POLICY = 'spec.ipFamilyPolicy'

export function withFamilies(
  sent: ServiceSpec,
  before: ServiceSpec | undefined,
  families: readonly IPFamily[],
): ServiceSpec {
  if (!hasClusterIP(sent) || isUntouchedPreference(sent, before)) return sent
  const spec = shortened({ ...sent, ipFamilyPolicy: policyOf(sent, before) }, before)
  const inferred = inferredFamilies(spec, families)
  refuseWith([...reductionProblems(spec, before), ...policyProblems(spec), ...inferred.problems])
  const ipFamilies = inferred.ipFamilies
  if (isHeadless(spec) && hasNoSelector(spec)) {
    // Its endpoints are written by hand, in any family.
    return { ...spec, ipFamilies: completed(ipFamilies, spec, families[0] ?? 'IPv4') }
  }
  refuseWith(absentProblems({ ...spec, ipFamilies }, families))
  const isDual = families.length === 2
  const first = ipFamilies.length > 0 ? ipFamilies : families.slice(0, 1)
  return { ...spec, ipFamilies: isDual ? completed(first, spec, first[0]!) : first }
}

/** PreferDualStack is resolved once: a cluster that gets a second family later changes no Service. */
export function isUntouchedPreference(spec: ServiceSpec, before: ServiceSpec | undefined): boolean {
  return (
    before !== undefined &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    before.ipFamilyPolicy === 'PreferDualStack' &&
    spec.type === before.type &&
    same(spec.clusterIPs, before.clusterIPs) &&
    same(spec.ipFamilies, before.ipFamilies)
  )
}

function policyOf(spec: ServiceSpec, before: ServiceSpec | undefined): NonNullable<ServiceSpec['ipFamilyPolicy']> {
  const known = spec.ipFamilyPolicy ?? before?.ipFamilyPolicy
  return known ?? (isHeadless(spec) && hasNoSelector(spec) ? 'RequireDualStack' : 'SingleStack')
}

/** Back to one family by the policy alone: the second address and family go. */
function shortened(spec: ServiceSpec, before: ServiceSpec | undefined): ServiceSpec {
  if (before === undefined || spec.ipFamilyPolicy !== 'SingleStack') return spec
  const { clusterIPs = [], ipFamilies = [] } = spec
  return {
    ...spec,
    ...(same(clusterIPs, before.clusterIPs) && clusterIPs.length > 1 && { clusterIPs: clusterIPs.slice(0, 1) }),
    ...(same(ipFamilies, before.ipFamilies) && ipFamilies.length > 1 && { ipFamilies: ipFamilies.slice(0, 1) }),
  }
}

function reductionProblems(spec: ServiceSpec, before: ServiceSpec | undefined): readonly AllocationProblem[] {
  if (before === undefined || spec.ipFamilyPolicy === 'SingleStack') return []
  const isReduced = (now: readonly string[] = [], then: readonly string[] = []) =>
    now.length > 0 && now.length < then.length
  const problem = (what: string) =>
    invalidValue(POLICY, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`)
  return [
    ...(isReduced(spec.clusterIPs, before.clusterIPs) ? [problem('cluster IP')] : []),
    ...(isReduced(spec.ipFamilies, before.ipFamilies) ? [problem('IP family')] : []),
  ]
}

interface InferredFamilies {
  readonly ipFamilies: readonly IPFamily[]
  readonly problems: readonly AllocationProblem[]
}

/** An address names its family. */
function inferredFamilies(
  { clusterIPs = [], ipFamilies = [] }: ServiceSpec,
  families: readonly IPFamily[],
): InferredFamilies {
  const found = [...ipFamilies]
  const problems: AllocationProblem[] = []
  for (const [i, ip] of clusterIPs.entries()) {
    if (ip === HEADLESS) break
    if (i < found.length) continue
    const family = ipFamilyOf(ip)
    if (families.includes(family)) found.push(family)
    else problems.push(invalidValue(`spec.clusterIPs[${i}]`, clusterIPs, `${family} is not configured on this cluster`))
  }
  return { ipFamilies: found, problems }
}

function policyProblems(spec: ServiceSpec): readonly AllocationProblem[] {
  if (spec.ipFamilyPolicy !== 'SingleStack') return []
  const problem = (what: string) =>
    invalidValue(
      POLICY,
      'SingleStack',
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    )
  return [
    ...((spec.clusterIPs ?? []).length === 2 ? [problem('cluster IPs')] : []),
    ...((spec.ipFamilies ?? []).length === 2 ? [problem('IP families')] : []),
  ]
}

function absentProblems(
  { ipFamilyPolicy, ipFamilies = [] }: ServiceSpec,
  families: readonly IPFamily[],
): readonly AllocationProblem[] {
  return [
    ...(ipFamilyPolicy === 'RequireDualStack' && families.length < 2
      ? [invalidValue(POLICY, ipFamilyPolicy, 'this cluster is not configured for dual-stack services')]
      : []),
    ...ipFamilies.flatMap((family, i) =>
      families.includes(family)
        ? []
        : [invalidValue(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster')],
    ),
  ]
}

/** With the other family behind it, unless one is enough. */
function completed(
  ipFamilies: readonly IPFamily[],
  { ipFamilyPolicy }: ServiceSpec,
  fallback: IPFamily,
): readonly IPFamily[] {
  const [first = fallback, second] = ipFamilies
  if (second !== undefined) return ipFamilies
  return ipFamilyPolicy === 'SingleStack' ? [first] : [first, first === 'IPv4' ? 'IPv6' : 'IPv4']
}

function hasNoSelector({ selector = {} }: ServiceSpec): boolean {
  return Object.keys(selector).length === 0
}

function same(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}
