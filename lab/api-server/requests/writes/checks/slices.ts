import { isIPv4, isIPv6 } from 'node:net'
import type { ApiObject } from '#lab/api-server/object.ts'
import type { FieldProblem } from '../../refusals.ts'
import { type Fields, fieldsOf, listOf } from '../defaults/values.ts'
import { LOOPBACK, oneOf, PROTOCOLS } from './forms.ts'
import { LABEL_NAME, problemOfName } from './names.ts'
import { required, unsupported, wrong } from './problems.ts'

// An EndpointSlice, with its defaults → what kube-apiserver does not take of it. It does not look at the numbers of ports:
// 0 is stored.

const TYPES = ['FQDN', 'IPv4', 'IPv6']

export function sliceProblems(slice: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const { addressType, endpoints, ports } = slice
  const endpointList = listOf(endpoints).map(fieldsOf)
  return [
    ...typeProblems(addressType),
    ...endpointList.flatMap((it, at) => endpointProblems(it, addressType, `endpoints[${at}]`)),
    ...listOf(ports).flatMap((it, at) => portProblems(fieldsOf(it), `ports[${at}]`)),
    ...(before === undefined || before.addressType === addressType
      ? []
      : [wrong('addressType', addressType, 'field is immutable')]),
  ]
}

function typeProblems(type: unknown): readonly FieldProblem[] {
  if (type === undefined || type === '') return [required('addressType')]
  return TYPES.includes(String(type)) ? [] : [unsupported('addressType', type, TYPES)]
}

function endpointProblems({ addresses }: Fields, type: unknown, path: string): readonly FieldProblem[] {
  const list = listOf(addresses)
  if (list.length === 0) return [required(`${path}.addresses`, 'must contain at least 1 address')]
  return list.flatMap((address, at) => {
    const why = addressProblem(String(address), type)
    return why === undefined ? [] : [wrong(`${path}.addresses[${at}]`, address, why)]
  })
}

function addressProblem(address: string, type: unknown): string | undefined {
  if (type === 'IPv4' && !isIPv4(address)) return 'must be a valid IPv4 address'
  if (type === 'IPv6' && !isIPv6(address)) return 'must be a valid IPv6 address'
  const isLoopback = (type === 'IPv4' && address.startsWith('127.')) || (type === 'IPv6' && address === '::1')
  return isLoopback ? LOOPBACK : undefined
}

function portProblems({ name, protocol }: Fields, path: string): readonly FieldProblem[] {
  const problem = name ? problemOfName(String(name), LABEL_NAME) : undefined
  return [
    ...(problem === undefined ? [] : [wrong(`${path}.name`, name, problem)]),
    ...oneOf(protocol, PROTOCOLS, `${path}.protocol`),
  ]
}
