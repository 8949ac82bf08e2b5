import { isIP } from 'node:net'
import type { ApiObject } from '#lab/api-server/object.ts'
import { parseCidr } from '#values/cidr.ts'
import { Refused } from '../../answers.ts'
import type { FieldProblem } from '../../refusals.ts'
import { type Fields, fieldsOf, listOf } from '../defaults/values.ts'
import { IP, LOOPBACK, oneOf, PORT, PROTOCOLS, portNameProblems, RANGE } from './forms.ts'
import { LABEL_NAME, problemOfName } from './names.ts'
import { required, twice, wrong } from './problems.ts'

// The spec of a Service, with its defaults → what kube-apiserver does not take of it, whatever the ranges have to give.

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const POLICIES = ['Cluster', 'Local']
const AFFINITIES = ['ClientIP', 'None']
const LONGEST_AFFINITY = 86_400

export function serviceProblems({ spec }: ApiObject): readonly FieldProblem[] {
  const fields = fieldsOf(spec)
  return [
    ...portsProblems(fields),
    ...oneOf(fields.sessionAffinity, AFFINITIES, 'spec.sessionAffinity'),
    ...affinityProblems(fields),
    ...listOf(fields.externalIPs).flatMap((ip, at) => addressProblems(ip, `spec.externalIPs[${at}]`)),
    ...oneOf(fields.type, TYPES, 'spec.type'),
    ...(fields.type === 'ExternalName' && !fields.externalName ? [required('spec.externalName')] : []),
    ...outwardProblems(fields),
    ...oneOf(fields.internalTrafficPolicy, POLICIES, 'spec.internalTrafficPolicy'),
    ...sourceProblems(fields),
  ]
}

/** Of /status alone. */
export function ingressProblems(status: Fields): readonly FieldProblem[] {
  return listOf(fieldsOf(status.loadBalancer).ingress).flatMap((it, at) => {
    const { ip } = fieldsOf(it)
    return ip === undefined || isIP(String(ip)) > 0 ? [] : [wrong(`status.loadBalancer.ingress[${at}].ip`, ip, IP)]
  })
}

function portsProblems({ ports, clusterIP, type }: Fields): readonly FieldProblem[] {
  const list = listOf(ports).map(fieldsOf)
  if (list.length === 0) return clusterIP === 'None' || type === 'ExternalName' ? [] : [required('spec.ports')]
  return [
    ...list.flatMap((port, at) => [
      ...nameProblems(list, at, `spec.ports[${at}].name`),
      ...portProblems(port, `spec.ports[${at}]`),
    ]),
    ...list.flatMap((port, at) => {
      const first = list.findIndex(it => it.port === port.port && it.protocol === port.protocol)
      return first < at ? [samePort(port, `spec.ports[${at}]`)] : []
    }),
  ]
}

/** A port alone may go without a name. */
function nameProblems(list: readonly Fields[], at: number, field: string): readonly FieldProblem[] {
  const { name } = list[at]!
  if (name === undefined || name === '') return list.length > 1 ? [required(field)] : []
  const problem = problemOfName(String(name), LABEL_NAME)
  if (problem !== undefined) return [wrong(field, name, problem)]
  return list.findIndex(it => it.name === name) < at ? [twice(field, name)] : []
}

function portProblems({ port = 0, protocol, targetPort }: Fields, path: string): readonly FieldProblem[] {
  if (typeof port !== 'number' || !Number.isInteger(port)) {
    const wrong = `json: cannot unmarshal ${typeof port} into Go struct field ServicePort.spec.ports.port of type int32`
    throw new Refused(400, `Service in version "v1" cannot be handled as a Service: ${wrong}`)
  }
  // Without a targetPort, the port is that, too: the real server complains of both.
  const target = targetPort === undefined || targetPort === 0 ? port : targetPort
  return [
    ...range(`${path}.port`, port),
    ...oneOf(protocol, PROTOCOLS, `${path}.protocol`),
    ...(typeof target === 'string'
      ? portNameProblems(target, `${path}.targetPort`)
      : range(`${path}.targetPort`, target)),
  ]
}

function range(field: string, port: unknown): readonly FieldProblem[] {
  return typeof port === 'number' && port >= 1 && port <= 65_535 ? [] : [wrong(field, port, PORT)]
}

/** The real server shows the port as its program holds it. */
function samePort({ protocol, port }: Fields, field: string): FieldProblem {
  const target = 'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}'
  const shown = `core.ServicePort{Name:"", Protocol:"${protocol}", AppProtocol:(*string)(nil), Port:${port}, TargetPort:${target}, NodePort:0}`
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${shown}` }
}

function affinityProblems({ sessionAffinity, sessionAffinityConfig }: Fields): readonly FieldProblem[] {
  const seconds = fieldsOf(fieldsOf(sessionAffinityConfig).clientIP).timeoutSeconds
  if (sessionAffinity !== 'ClientIP' || seconds === undefined) return []
  if (Number(seconds) > 0 && Number(seconds) <= LONGEST_AFFINITY) return []
  const why = `must be greater than 0 and less than ${LONGEST_AFFINITY}`
  return [wrong('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, why)]
}

function addressProblems(ip: unknown, field: string): readonly FieldProblem[] {
  if (isIP(String(ip)) === 0) return [wrong(field, ip, IP)]
  return /^127\.|^::1$/.test(String(ip)) ? [wrong(field, ip, LOOPBACK)] : []
}

function outwardProblems({ type, externalIPs, externalTrafficPolicy }: Fields): readonly FieldProblem[] {
  const field = 'spec.externalTrafficPolicy'
  if (externalTrafficPolicy === undefined) return []
  const isOutward = type === 'NodePort' || type === 'LoadBalancer' || listOf(externalIPs).length > 0
  if (isOutward) return oneOf(externalTrafficPolicy, POLICIES, field)
  return [wrong(field, externalTrafficPolicy, 'may only be set for externally-accessible services')]
}

function sourceProblems({ loadBalancerSourceRanges }: Fields): readonly FieldProblem[] {
  return listOf(loadBalancerSourceRanges).flatMap((text, at) =>
    parseCidr(String(text).trim()) === undefined ? [wrong(`spec.LoadBalancerSourceRanges[${at}]`, text, RANGE)] : [],
  )
}
