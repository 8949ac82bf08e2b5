import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SOCKET } from '#cni/daemon/service.ts'

// The helper's source, as far as it can be looked at without a compiler.

const SOURCE = readFileSync(join(import.meta.dirname, '../../../src/cni/shim.c'), 'utf8')

test('the helper waits five seconds for a daemon to begin, and fifteen for a dot, of which there is one a second', () => {
  const seconds = (name: string) => Number(new RegExp(`^#define ${name} (\\d+) +// seconds`, 'm').exec(SOURCE)?.[1])
  expect(['READY_WITHIN', 'SILENT_FOR'].map(seconds)).toEqual([5, 15])
})

test('the helper calls where the daemon listens, and is at most 150 lines long', () => {
  expect(/^#define SOCKET "(.+)"$/m.exec(SOURCE)![1]).toBe(SOCKET)
  expect(SOURCE.trimEnd().split('\n').length).toBeLessThanOrEqual(150)
})
