import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decisionsIn } from './decisions.ts'
import { TESTED_ELSEWHERE } from './tested-elsewhere.ts'

// A file of src that decides much has its test at the mirrored path, where one looks for it first.

const ROOT = join(import.meta.dirname, '..', '..')
/** Fewer are seen in the tests of those who use the file. */
const MANY = 10

const mirrored = (path: string): string => `test/${path.slice('src/'.length, -'.ts'.length)}.test.ts`
const isThere = (path: string): boolean => existsSync(join(ROOT, path))

const deciding = globSync('src/**/*.ts', { cwd: ROOT })
  .filter(path => decisionsIn(readFileSync(join(ROOT, path), 'utf8')) >= MANY)
  .sort()

test('has its test there, or in a file that is named', () => {
  expect(deciding.length).toBeGreaterThan(300)
  expect(deciding.filter(path => !isThere(mirrored(path)) && TESTED_ELSEWHERE[path] === undefined)).toEqual([])
})

test('is named only where that is needed, and the named test is there', () => {
  const needless = Object.entries(TESTED_ELSEWHERE).filter(
    ([path, elsewhere]) => !deciding.includes(path) || isThere(mirrored(path)) || !isThere(elsewhere),
  )
  expect(needless).toEqual([])
})

test.each([
  ['if (a) b()', 1],
  ['for (const a of b) if (a && c) d()', 3],
  ['const a = b.filter(c => c > 1).map(d => (d ? 1 : 2))', 2],
  ['switch (a) { case 1: case 2: b() }', 2],
  ['type A = B extends C ? D : E', 0],
  ["const a = 'if (b) c()' // while", 0],
])('%s takes %i decisions', (text, count) => {
  expect(decisionsIn(text)).toBe(count)
})
