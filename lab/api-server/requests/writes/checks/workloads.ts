import { isDeepStrictEqual } from 'node:util'
import type { V1LabelSelector } from '@kubernetes/client-node'
import type { ApiObject } from '#lab/api-server/object.ts'
import type { FieldProblem } from '../../refusals.ts'
import { matcher, shownSelector } from '../../selectors.ts'
import { fieldsOf } from '../defaults/values.ts'
import { podSpecProblems } from './pods.ts'
import { barred, required, unsupported, wrong } from './problems.ts'

// A Deployment or ReplicaSet, with its defaults → what kube-apiserver does not take of it, or of a change to it.

const STRATEGIES = ['Recreate', 'RollingUpdate']

export function workloadProblems({ kind, spec }: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const { replicas, selector, template, strategy } = fieldsOf(spec)
  return [
    ...countProblems(replicas),
    ...selectorProblems(selector as V1LabelSelector | undefined, template),
    ...(kind === 'Deployment' ? strategyProblems(fieldsOf(strategy)) : []),
    ...templateProblems(template),
    ...immutable('spec.selector', selector, fieldsOf(before?.spec).selector, before),
  ]
}

function countProblems(replicas: unknown): readonly FieldProblem[] {
  const isCount = typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0
  return isCount ? [] : [wrong('spec.replicas', replicas, 'must be greater than or equal to 0')]
}

function selectorProblems(selector: V1LabelSelector | undefined, template: unknown): readonly FieldProblem[] {
  if (selector === undefined) return [required('spec.selector')]
  const text = shownSelector(selector)
  if (text === '') return [wrong('spec.selector', selector, 'empty selector is invalid for deployment')]
  const labels = (fieldsOf(fieldsOf(template).metadata).labels ?? {}) as Readonly<Record<string, string>>
  if (matcher(text, null)({ metadata: { labels } })) return []
  return [wrong('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
}

function strategyProblems({ type, rollingUpdate }: Readonly<Record<string, unknown>>): readonly FieldProblem[] {
  const field = 'spec.strategy'
  if (!STRATEGIES.includes(String(type))) return [unsupported(`${field}.type`, type, STRATEGIES)]
  if (type === 'Recreate') {
    const why = "may not be specified when strategy `type` is 'Recreate'"
    return rollingUpdate === undefined ? [] : [barred(`${field}.rollingUpdate`, why)]
  }
  const { maxUnavailable, maxSurge } = fieldsOf(rollingUpdate)
  const isNothing = (value: unknown) => Number.parseInt(String(value), 10) === 0
  if (!isNothing(maxUnavailable) || !isNothing(maxSurge)) return []
  return [wrong(`${field}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
}

/** Pods that a workload makes are made again when they end. */
function templateProblems(template: unknown): readonly FieldProblem[] {
  const spec = fieldsOf(fieldsOf(template).spec)
  const path = 'spec.template.spec'
  const { restartPolicy } = spec
  const isFine = restartPolicy === undefined || restartPolicy === 'Always'
  const policy = isFine ? [] : [unsupported(`${path}.restartPolicy`, restartPolicy, ['Always'])]
  return [...podSpecProblems(isFine ? spec : { ...spec, restartPolicy: 'Always' }, path), ...policy]
}

function immutable(field: string, now: unknown, then: unknown, before: ApiObject | undefined): readonly FieldProblem[] {
  return before === undefined || isDeepStrictEqual(now, then) ? [] : [wrong(field, now, 'field is immutable')]
}
