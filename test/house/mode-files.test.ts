import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

// Each mode is tested in the same files: where to look is known without looking.

const ROOT = join(import.meta.dirname, '..', '..')
const FILES = ['contract', 'stories', 'conformance', 'walk', 'write']

const MODES = readdirSync(join(ROOT, 'src/proxy/modes')).filter(name =>
  existsSync(join(ROOT, 'src/proxy/modes', name, 'index.ts')),
)

test('there are four modes', () => {
  expect(MODES.toSorted()).toEqual(['iptables', 'ipvs', 'nftables', 'userspace'])
})

test.each(MODES)('%s has a test of its contract, stories, conformance, a walk, and what it writes', mode => {
  const missing = FILES.filter(file => !existsSync(join(ROOT, 'test/proxy/modes', mode, `${file}.test.ts`)))
  expect(missing).toEqual([])
})
