import { isRecord, itemKey, mergeType } from '../merging/merge-rules.ts'
import { type FieldPath, stepsOf } from './fields.ts'

// An object and what a manager applies → both in one; and an object less the fields that have no owner any more.

/** `field` is the path of names of the value, '' at the root. */
export function mergedWith(kind: string, live: unknown, applied: unknown, field = ''): unknown {
  const type = mergeType(kind, field, applied)
  if (type.as === 'granular' && isRecord(live) && isRecord(applied)) {
    const result: Record<string, unknown> = { ...live }
    for (const [key, value] of Object.entries(applied)) {
      result[key] = mergedWith(kind, live[key], value, field === '' ? key : `${field}.${key}`)
    }
    return result
  }
  if (!Array.isArray(live) || !Array.isArray(applied)) return applied
  if (type.as === 'set') return [...new Set([...live, ...applied])]
  return type.as === 'keyed' ? mergedItems(live, applied) : applied

  function mergedItems(live: readonly unknown[], applied: readonly unknown[]): readonly unknown[] {
    const keyOf = (item: unknown) => itemKey(item, type.as === 'keyed' ? type.keys : [])
    const items = new Map(live.map(item => [keyOf(item), item]))
    for (const item of applied) items.set(keyOf(item), mergedItem(items.get(keyOf(item)), item))
    return [...items.values()]
  }

  function mergedItem(live: unknown, applied: unknown): unknown {
    if (!isRecord(live) || !isRecord(applied)) return applied
    const fields = Object.entries(applied).map(([key, value]) => [
      key,
      mergedWith(kind, live[key], value, `${field}.${key}`),
    ])
    return { ...live, ...Object.fromEntries(fields) }
  }
}

/** Without the field at this path. A container that becomes empty goes, too. */
export function withoutField(kind: string, value: unknown, path: FieldPath): unknown {
  return without(value, stepsOf(path), '')

  function without(value: unknown, [step = '', ...rest]: readonly string[], field: string): unknown {
    if (step.startsWith('f:')) {
      const key = step.slice(2)
      if (!isRecord(value) || !Object.hasOwn(value, key)) return value
      const { [key]: child, ...others } = value
      const left = rest.length === 0 ? undefined : without(child, rest, field === '' ? key : `${field}.${key}`)
      return left === undefined || isEmpty(left) ? others : { ...value, [key]: left }
    }
    if (!Array.isArray(value)) return value
    return value.flatMap(item => {
      if (stepOf(item, field) !== step) return [item]
      return rest.length === 0 ? [] : [without(item, rest, field)]
    })
  }

  function stepOf(item: unknown, field: string): string {
    const type = mergeType(kind, field, [])
    return type.as === 'keyed' ? itemKey(item, type.keys) : `v:${JSON.stringify(item)}`
  }
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0
}
