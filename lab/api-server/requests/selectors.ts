import type { V1LabelSelector } from '@kubernetes/client-node'
import type { ApiObject } from '#lab/api-server/store.ts'
import { Refused } from './answers.ts'

// Selector text (`!headless,app in (a, b)`, `metadata.name=n1,spec.clusterIP!=None`) → a test that objects pass or not.

export type Matcher = (object: ApiObject) => boolean

/** Both selectors of a request; an object must please every part of each. */
export function matcher(labelSelector: string | null, fieldSelector: string | null): Matcher {
  const labelTests = requirements(labelSelector ?? '').map(labelRequirement)
  const fieldTests = (fieldSelector ?? '').split(',').filter(Boolean).map(fieldRequirement)
  const tests = [...labelTests, ...fieldTests]
  return object => tests.every(test => test(object))
}

/** Splits at commas that are not inside the parentheses of a set. */
function requirements(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map(part => part.trim())
    .filter(part => part !== '')
}

const KEY = '[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?'
const ABSENT = new RegExp(`^!\\s*(${KEY})$`)
const PRESENT = new RegExp(`^(${KEY})$`)
const EQUAL = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*([A-Za-z0-9_.-]*)$`)
const IN_SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`)

function labelRequirement(text: string): Matcher {
  const absent = ABSENT.exec(text)
  if (absent) return object => label(object, absent[1]!) === undefined
  const present = PRESENT.exec(text)
  if (present) return object => label(object, present[1]!) !== undefined
  const equal = EQUAL.exec(text)
  if (equal) {
    const [, key = '', operator, value] = equal
    return operator === '!=' ? object => label(object, key) !== value : object => label(object, key) === value
  }
  const inSet = IN_SET.exec(text)
  if (inSet === null) throw new Refused(400, `unable to parse requirement: ${JSON.stringify(text)}`)
  const [, key = '', operator, list = ''] = inSet
  const values = new Set(list.split(',').map(value => value.trim()))
  return object => values.has(label(object, key) ?? '\0') === (operator === 'in')
}

/** A selector of an object's spec as the text of a query. */
export function shownSelector({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  const sets = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    return operator === 'DoesNotExist'
      ? `!${key}`
      : `${key} ${operator.toLowerCase()} (${[...values].sort().join(',')})`
  })
  return [...labels, ...sets].sort().join(',')
}

function label(object: ApiObject, key: string): string | undefined {
  const labels = object.metadata.labels ?? {}
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

/** The fields by which the real API server can select what is served here. */
const FIELDS: ReadonlySet<string> = new Set([
  'metadata.name',
  'metadata.namespace',
  'spec.clusterIP',
  'spec.nodeName',
  'spec.type',
  'spec.unschedulable',
  'status.phase',
  'involvedObject.kind',
  'involvedObject.namespace',
  'involvedObject.name',
  'involvedObject.uid',
  'regarding.kind',
  'regarding.namespace',
  'regarding.name',
  'regarding.uid',
  'reason',
  'type',
])

function fieldRequirement(text: string): Matcher {
  const match = /^\s*([A-Za-z.]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(text)
  if (match === null) throw new Refused(400, `invalid selector: '${text}'; can't understand '${text}'`)
  const [, path = '', operator, value] = match
  if (!FIELDS.has(path)) throw new Refused(400, `field label not supported: ${path}`)
  const steps = path.split('.')
  return object => (fieldText(object, steps) === value) === (operator !== '!=')
}

function fieldText(object: unknown, steps: readonly string[]): string {
  let value: unknown = object
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return ''
    value = (value as Record<string, unknown>)[step]
  }
  return value === undefined || value === null ? '' : String(value)
}
