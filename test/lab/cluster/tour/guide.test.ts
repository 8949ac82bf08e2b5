import { expect, test } from 'vitest'
import { failedStep, StepFailed } from '#lab/cluster/tour/guide.ts'

// A tour whose steps do not all go as they should.

test('a step that fails is why the tour ends; what else goes wrong is an error', async () => {
  expect(await failedStep(Promise.resolve())).toBeUndefined()
  expect(await failedStep(Promise.reject(new StepFailed('outside ask 192.0.2.11 30080: refused')))).toBe(
    'outside ask 192.0.2.11 30080: refused',
  )
  await expect(failedStep(Promise.reject(new Error('interrupted')))).rejects.toThrow('interrupted')
})
