// Labels → whether a selector takes them.

type Labels = Readonly<Record<string, string>>

export interface LabelSelector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly LabelRequirement[]
}

export interface LabelRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** A selector that names nothing takes everything; none at all takes nothing. */
export function selects(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (selector === undefined) return false
  const { matchLabels = {}, matchExpressions = [] } = selector
  return hasAll(matchLabels, labels) && matchExpressions.every(requirement => meets(requirement, labels))
}

export function hasAll(wanted: Labels, labels: Labels = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value)
}

export function meets({ key, operator, values = [] }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return numberOf(value) > numberOf(values[0])
    case 'Lt':
      return numberOf(value) < numberOf(values[0])
    default:
      return false
  }
}

/** A whole number; anything else is neither more nor less than another. */
function numberOf(text = ''): number {
  return /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
}
