import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BEYOND_THE_WALL, EFFECTS_ELSEWHERE, FLOORS } from './floors/house.ts'
import { exceptionsNeeded, type SourceFile, violationsOf } from './floors/violations.ts'

// The plan of the house, enforced: test/floors/house.ts says who may import whom and who may touch the machine.

const SRC = join(import.meta.dirname, '..', 'src')

function sources(): readonly SourceFile[] {
  const paths = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .sort()
  return paths.map(path => ({ path, text: readFileSync(join(SRC, path), 'utf8') }))
}

describe('the sources', () => {
  const files = sources()

  test('are there', () => {
    expect(files.length).toBeGreaterThan(20)
  })

  test('keep to the plan of the house', () => {
    expect(files.flatMap(violationsOf)).toEqual([])
  })

  test('stand in folders that the plan knows', () => {
    const unknown = files.map(({ path }) => path.split('/')[0]!).filter(name => FLOORS[name] === undefined)
    expect([...new Set(unknown)]).toEqual([])
  })

  test('need every exception that is made', () => {
    const needed = new Set(files.flatMap(exceptionsNeeded))
    const made = EFFECTS_ELSEWHERE.flatMap(({ in: place, uses }) => uses.map(use => `${place} ${use}`))
    expect(made.filter(exception => !needed.has(exception))).toEqual([])
    const long = new Set(files.filter(({ text }) => text.split('\n').length > 250).map(({ path }) => path))
    expect(Object.keys(BEYOND_THE_WALL).filter(path => !long.has(path))).toEqual([])
  })
})

describe('the plan', () => {
  test.each([
    ['cluster/cluster.ts', "import { Reflector } from '../api/reflector.ts'"],
    ['cluster/cluster.ts', "export * from '../api/objects.ts'"],
  ])('lets %s have types of the floor below and no more: %s', (path, text) => {
    expect(violationsOf({ path, text })[0]).toMatch(
      /^src\/cluster\/cluster\.ts: cluster may not import api\/\w+\.ts \(allowed: api's types, values\)$/,
    )
  })

  test.each([
    [
      'values/a.ts',
      "import type { B } from '../cluster/b.ts'",
      'values may not import cluster/b.ts (allowed: nothing)',
    ],
    ['plan/a.ts', "const x = await import('../sync/b.ts')", 'plan may not import sync/b.ts (allowed: modes/mode.ts)'],
    [
      'plan/a.ts',
      "type X = import('../modes/leftovers.ts').X",
      'plan may not import modes/leftovers.ts (allowed: modes/mode.ts)',
    ],
    ['modes/a/b.ts', "import { c } from '../b/c.ts'", 'modes/a may not import modes/b: a mode knows no other mode'],
    [
      'verbs/run.ts',
      "import { words } from '../iptables-parser/words.ts'",
      'may not import iptables-parser/words.ts: iptables-parser is entered through its index.ts',
    ],
    ['sync/a.ts', "import { execa } from 'execa'", 'may not import execa (only system/kernel.ts may)'],
    [
      'api/a.ts',
      "import x from '@left/pad/sub.js'",
      'may not import @left/pad: the plan of the house knows no such package',
    ],
    ['verbs/a.ts', "import '../../test/x.ts'", 'may not import ../../test/x.ts: it is outside of src/'],
    [
      'sync/a.ts',
      "import { x } from '#verbs/run.ts'",
      'sync may not import verbs/run.ts (allowed: plan, desired, cluster, dialects, modes/mode.ts, system/ports.ts, system/must.ts, values)',
    ],
    ['attic/a.ts', "import '../values/x.ts'", 'attic is no folder of the plan'],
  ])('stops %s from: %s', (path, text, sentence) => {
    expect(violationsOf({ path, text })).toEqual([`src/${path}: ${sentence}`])
  })

  test.each([
    ['node:fs', "import { readFileSync } from 'node:fs'"],
    ['node:net', "import { isIP, connect } from 'node:net'"],
    ['node:os', "export { hostname } from 'node:os'"],
    ['process.env', 'const home = process.env.HOME'],
    ['process.stdout', "process.stdout.write('x')"],
    ['setTimeout', 'const timer = setTimeout(() => {}, 5)'],
    ['setInterval', 'globalThis.setInterval(() => {}, 5)'],
    ['Date.now', 'const now = Date.now()'],
    ['new Date()', 'const today = new Date()'],
    ['AbortSignal.timeout', 'const signal = AbortSignal.timeout(5)'],
  ])('keeps %s within system/', (effect, text) => {
    const sentence = `src/desired/a.ts: may not use ${effect}: only system/ touches the machine`
    expect(violationsOf({ path: 'desired/a.ts', text })).toEqual([sentence])
    expect(violationsOf({ path: 'system/a.ts', text })).toEqual([])
  })

  test.each([
    ["import { parse } from '#iptables-parser/index.ts'", 'modes/iptables/read.ts'],
    ["import { parse } from '../iptables-parser/index.ts'", 'dialects/a.ts'],
    ["import type { Event } from '../api/event.ts'", 'cluster/cluster.ts'],
    ["import { type Service, type Node } from '../api/objects.ts'", 'desired/a.ts'],
    ["import { trace } from '../trace.ts'", 'modes/iptables/a.ts'],
    ["import type { Socket } from 'node:net'", 'telemetry/a.ts'],
    ["import { isIPv4, isIPv6 } from 'node:net'", 'values/a.ts'],
    ["import { run } from './sync/lane.ts'", 'main.ts'],
    ['const then = new Date(5)', 'telemetry/a.ts'],
    ['const where = process.platform', 'values/a.ts'],
    ["import { version } from '../../package.json'", 'verbs/version.ts'],
    ["const text = 'process.env and setTimeout(1)' // Date.now()", 'values/a.ts'],
  ])('has nothing against %s in %s', (text, path) => {
    expect(violationsOf({ path, text })).toEqual([])
  })

  test('puts a wall at 250 lines', () => {
    const long = (lines: number) => ({ path: 'values/a.ts', text: '// a\n'.repeat(lines) })
    expect(violationsOf(long(250))).toEqual([])
    expect(violationsOf(long(251))).toEqual(['src/values/a.ts: has 251 lines; the wall is at 250'])
  })
})
