import { isIPv6 } from 'node:net'
import type { ApiObject } from '#lab/api-server/object.ts'
import { parseCidr } from '#values/cidr.ts'
import type { FieldProblem } from '../../refusals.ts'
import { fieldsOf, listOf } from '../defaults/values.ts'
import { RANGE } from './forms.ts'
import { barred, unsupported, wrong } from './problems.ts'

// The spec of a Node → what kube-apiserver does not take of it: pod ranges that are none, and that change.

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function nodeProblems({ spec }: ApiObject): readonly FieldProblem[] {
  const { podCIDRs, taints } = fieldsOf(spec)
  return [
    ...listOf(taints).flatMap((it, at) => {
      const { effect } = fieldsOf(it)
      return EFFECTS.includes(String(effect)) ? [] : [unsupported(`metadata.taints[${at}].effect`, effect, EFFECTS)]
    }),
    ...rangeProblems(listOf(podCIDRs).map(String)),
  ]
}

/** Ranges that are set stay as they are. */
export function podCIDRProblems(object: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const [now, then] = [object, before].map(node => JSON.stringify(listOf(fieldsOf(node?.spec).podCIDRs)))
  if (then === '[]' || now === then) return []
  return [barred('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')]
}

function rangeProblems(ranges: readonly string[]): readonly FieldProblem[] {
  const field = 'spec.podCIDRs'
  const wrongOnes = ranges.flatMap((text, at) =>
    parseCidr(text) === undefined ? [wrong(`${field}[${at}]`, text, RANGE)] : [],
  )
  const [a, b] = ranges.map(text => isIPv6(text.split('/')[0]!))
  if (wrongOnes.length > 0 || ranges.length < 2 || (ranges.length === 2 && a !== b)) return wrongOnes
  const shown = `[]string{${ranges.map(text => JSON.stringify(text)).join(', ')}}`
  const why = 'may specify no more than one CIDR for each IP family'
  return [{ reason: 'FieldValueInvalid', field, message: `Invalid value: ${shown}: ${why}` }]
}
