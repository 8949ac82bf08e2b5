import fc from 'fast-check'
import { expect, test } from 'vitest'
import { levelAfter } from '#cni/daemon/rounds/levels.ts'

test('a level rises at once, and only falls five points below where it began', () => {
  const percent = fc.integer({ min: 0, max: 1000 }).map(tenths => tenths / 10)
  fc.assert(
    fc.property(fc.constantFrom('roomy' as const, 'near' as const, 'full' as const), percent, (before, full) => {
      const after = levelAfter(before, full)
      if (full === 100) expect(after).toBe('full')
      else if (full >= 95) expect(after).toBe(before === 'full' ? 'full' : 'near')
      else if (full >= 90) expect(after).toBe('near')
      else if (full >= 85) expect(after).toBe(before === 'roomy' ? 'roomy' : 'near')
      else expect(after).toBe('roomy')
    }),
  )
})
