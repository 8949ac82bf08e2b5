import { expect, test } from 'vitest'
import { logEnds } from '#lab/cluster/node/log-ends.ts'

test('the last three lines of both programs of each node are shown, and a program that has logged nothing is named', () => {
  const nodes = [
    { name: 'node-1', logLines: (program: string) => (program === 'pods' ? ['a', 'b', 'c', 'd'] : []) },
    { name: 'node-2', logLines: (program: string) => [`${program} ended`] },
  ]
  expect(logEnds(nodes)).toEqual([
    'node-1, switchyard pods: b',
    'node-1, switchyard pods: c',
    'node-1, switchyard pods: d',
    'node-1, switchyard run: (it has logged nothing)',
    'node-2, switchyard pods: pods ended',
    'node-2, switchyard run: run ended',
  ])
})
