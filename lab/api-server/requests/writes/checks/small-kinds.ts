import { isDeepStrictEqual } from 'node:util'
import type { ApiObject } from '#lab/api-server/object.ts'
import type { FieldProblem } from '../../refusals.ts'
import { fieldsOf } from '../defaults/values.ts'
import { barred, required, wrong } from './problems.ts'

// ConfigMaps, Leases and Events → what kube-apiserver does not take of them.

const KEY = '[-._a-zA-Z0-9]+'
const KEY_SENTENCE = `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '${KEY}')`

export function configMapProblems(object: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const keys = Object.keys(fieldsOf(object.data)).filter(key => !new RegExp(`^${KEY}$`).test(key))
  return [
    ...keys.map(key => wrong(`data[${key}]`, key, KEY_SENTENCE)),
    ...(before?.immutable === true && !isDeepStrictEqual(before.data, object.data)
      ? [barred('data', 'field is immutable when `immutable` is set')]
      : []),
  ]
}

export function leaseProblems({ spec }: ApiObject): readonly FieldProblem[] {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions } = fieldsOf(spec)
  return [
    ...(seconds === undefined || Number(seconds) > 0
      ? []
      : [wrong('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]),
    ...(transitions === undefined || Number(transitions) >= 0
      ? []
      : [wrong('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]),
  ]
}

const EVENT_TYPES = ['Normal', 'Warning']

/** Of the two forms of an Event, the newer must say when it was and of which type. */
export function eventProblems(event: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const { involvedObject, regarding, eventTime, type = '', metadata } = event
  const field = involvedObject === undefined ? 'regarding' : 'involvedObject'
  const { namespace } = fieldsOf(involvedObject ?? regarding)
  const isElsewhere = (namespace ?? 'default') !== metadata.namespace
  if (regarding === undefined) {
    return isElsewhere ? [wrong(`${field}.namespace`, namespace, 'does not match event.namespace')] : []
  }
  if (before !== undefined) return []
  return [
    ...(eventTime === undefined || eventTime === null ? [required('eventTime')] : []),
    ...(EVENT_TYPES.includes(String(type)) ? [] : [wrong('type', type, `has invalid value: ${type}`)]),
  ]
}
