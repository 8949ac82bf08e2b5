import { expect, test } from 'vitest'
import { rightsOf, runtimeProblem } from '#lab/cluster/session/user-namespace.ts'

test('root of a user namespace is known by the map of its users', () => {
  expect(rightsOf(0, '         0          0 4294967295\n')).toBe('root')
  expect(rightsOf(0, '         0       1000          1\n')).toBe('root of a user namespace')
  expect(rightsOf(1000, '         0          0 4294967295\n')).toBe('user')
})

test('containers take root of the machine; pods of namespaces do not', () => {
  for (const rights of ['user', 'root of a user namespace', 'inside'] as const) {
    expect(runtimeProblem(rights, 'containerd')).toMatch(/^--runtime=containerd takes root of the machine/)
    expect(runtimeProblem(rights, 'namespaces')).toBeUndefined()
  }
  expect(runtimeProblem('root', 'containerd')).toBeUndefined()
})
