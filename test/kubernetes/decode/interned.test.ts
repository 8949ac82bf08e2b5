import { expect, test } from 'vitest'
import { interned } from '#kubernetes/decode/interned.ts'

test('the names of nodes, zones and taints come back as they are', () => {
  for (const name of ['n1.example.com', 'eu-west-1a', 'Zone_1', 'node.kubernetes.io/unschedulable']) {
    expect(interned(name)).toBe(name)
    expect(interned(JSON.parse(JSON.stringify(name)))).toBe(name)
  }
})

test('what cannot be such a name is nothing', () => {
  for (const text of ['', ' ', 'a b', 'n1\n', 'a"b', 'é', 'x'.repeat(318), 5, null, undefined, {}, ['n1']]) {
    expect(interned(text)).toBeUndefined()
  }
})

test('more names than are remembered are still themselves', () => {
  for (let i = 0; i < 60_000; i++) expect(interned(`n${i}`)).toBe(`n${i}`)
})
