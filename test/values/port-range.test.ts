import { expect, test } from 'vitest'
import { parsePortRange } from '#values/port-range.ts'

test('a port range has three forms', () => {
  expect(parsePortRange('30000-32767')).toEqual({ first: 30000, last: 32767 })
  expect(parsePortRange('30000+10')).toEqual({ first: 30000, last: 30010 })
  expect(parsePortRange('8080')).toEqual({ first: 8080, last: 8080 })
  expect(parsePortRange('0')).toBe('any')
  for (const bad of ['5-3', 'x', '70000', '1-99999']) expect(parsePortRange(bad)).toBeUndefined()
})
