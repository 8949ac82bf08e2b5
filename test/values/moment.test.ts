import { expect, test } from 'vitest'
import { parseMoment, shownMoment } from '#values/moment.ts'

const NOW = Date.UTC(2026, 10, 29, 7)

test.each([
  ['2026-11-29T06:59:30Z', NOW - 30_000],
  ['2026-11-29t06:59:30.5z', NOW - 29_500],
  ['2026-11-29 08:00:00+01:00', NOW],
  ['10m', NOW - 600_000],
  ['1h30m', NOW - 5_400_000],
  ['0', NOW],
])('%s is a moment', (text, at) => expect(parseMoment(text, NOW)).toBe(at))

test.each(['', 'yesterday', '2026-11-29', '2026-11-29T07:00:00', '2026-13-29T07:00:00Z', '-10m', '10', '07:00'])(
  '%j is none',
  text => expect(parseMoment(text, NOW)).toBeUndefined(),
)

test('a moment is shown to the second, in UTC', () => {
  expect(shownMoment(NOW + 999)).toBe('2026-11-29T07:00:00Z')
})
