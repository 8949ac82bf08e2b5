import { expect, test } from 'vitest'
import { admittedPodSpec } from '#lab/api-server/requests/writes/defaults/pods.ts'

const [NOT_READY, UNREACHABLE] = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

function tolerations(list?: readonly object[]): unknown {
  return admittedPodSpec({ ...(list && { tolerations: list }) }, 10).tolerations
}

test('a pod tolerates a node that is lost for as long as the server is set to, where it says nothing else itself', () => {
  const added = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10 })
  expect(tolerations()).toEqual([added(NOT_READY!), added(UNREACHABLE!)])
  const own = { key: UNREACHABLE, operator: 'Exists', tolerationSeconds: 60 }
  expect(tolerations([own])).toEqual([own, added(NOT_READY!)])
  expect(tolerations([{ operator: 'Exists' }])).toEqual([{ operator: 'Exists' }])
})
