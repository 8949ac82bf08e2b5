// `25%` or a number, of a total → a number of pods. A surge is rounded up, and what may be missing down.

export function portion(value: number | string | undefined, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const [, percent] = /^(\d+)%$/.exec(value ?? '') ?? []
  if (percent === undefined) return Number(value) || 0
  const exact = (Number(percent) * total) / 100
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact)
}
