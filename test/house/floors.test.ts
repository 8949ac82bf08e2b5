import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { circlesOf } from './circles.ts'
import { BEYOND_THE_WALL, EFFECTS_ELSEWHERE } from './house.ts'
import { exceptionsNeeded, roomOf, type SourceFile, violationsOf } from './violations.ts'

// The plan of the house, enforced: test/house/house.ts says who may import whom and who may touch the machine.

const ROOT = join(import.meta.dirname, '..', '..')

function sources(folder: string): readonly SourceFile[] {
  const paths = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !path.includes('node_modules'))
    .sort()
  return paths.map(path => ({ path, text: readFileSync(join(ROOT, folder, path), 'utf8') }))
}

describe('the sources', () => {
  const files = sources('src')

  test('are there', () => {
    expect(files.length).toBeGreaterThan(20)
  })

  test('keep to the plan of the house', () => {
    expect(files.flatMap(violationsOf)).toEqual([])
  })

  test('stand in folders that the plan knows', () => {
    expect(files.map(({ path }) => path).filter(path => roomOf(path) === undefined)).toEqual([])
  })

  test('import each other in no circle, and neither do those of the lab', () => {
    const all = ['src', 'lab', 'packages', 'bench'].flatMap(folder =>
      sources(folder).map(({ path, text }) => ({ path: `${folder}/${path}`, text })),
    )
    expect(all.length).toBeGreaterThan(files.length)
    expect(circlesOf(all)).toEqual([])
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
    ['proxy/cluster/cluster.ts', "import { Reflector } from '#kubernetes/reflector.ts'"],
    ['proxy/cluster/cluster.ts', "export * from '#kubernetes/objects.ts'"],
  ])('lets %s have types of the floor below and no more: %s', (path, text) => {
    expect(violationsOf({ path, text })[0]).toMatch(
      /^src\/proxy\/cluster\/cluster\.ts: proxy\/cluster may not import kubernetes\/\w+\.ts \(allowed: kubernetes's types, values\)$/,
    )
  })

  test.each([
    [
      'values/a.ts',
      "import type { B } from '#proxy/cluster/b.ts'",
      'values may not import proxy/cluster/b.ts (allowed: nothing)',
    ],
    [
      'proxy/plan/a.ts',
      "const x = await import('../sync/b.ts')",
      'proxy/plan may not import proxy/sync/b.ts (allowed: proxy/modes/mode.ts)',
    ],
    [
      'proxy/plan/a.ts',
      "type X = import('../modes/leftovers.ts').X",
      'proxy/plan may not import proxy/modes/leftovers.ts (allowed: proxy/modes/mode.ts)',
    ],
    [
      'proxy/modes/a/b.ts',
      "import { c } from '../b/c.ts'",
      'proxy/modes/a may not import proxy/modes/b: a mode knows no other mode',
    ],
    [
      'proxy/sync/a.ts',
      "import { execa } from 'execa'",
      'may not import execa (only system/processes/start-process.ts may)',
    ],
    [
      'kubernetes/a.ts',
      "import x from '@left/pad/sub.js'",
      'may not import @left/pad: the plan of the house knows no such package',
    ],
    ['verbs/a.ts', "import '../../test/x.ts'", 'may not import ../../test/x.ts: it is outside of src/'],
    [
      'verbs/a.ts',
      "import { x } from '#lab/paper/kernel.ts'",
      'may not import #lab/paper/kernel.ts: it is outside of src/',
    ],
    ['attic/a.ts', "import '../values/x.ts'", 'attic is no room of the plan'],
    [
      'proxy/agent/a.ts',
      "import { leases } from '#ipam/leases/leases.ts'",
      "proxy may not import ipam/leases/leases.ts: the wings share data and tools, not each other's code",
    ],
    [
      'kubernetes/decode/a.ts',
      "import { CoreV1Api } from '@kubernetes/client-node'",
      'may import only types of @kubernetes/client-node',
    ],
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
    const sentence = `src/proxy/desired/a.ts: may not use ${effect}: only system, proxy/relay, ipam/leases may touch the machine`
    expect(violationsOf({ path: 'proxy/desired/a.ts', text })).toEqual([sentence])
    expect(violationsOf({ path: 'system/a.ts', text })).toEqual([])
    expect(violationsOf({ path: 'proxy/relay/a.ts', text })).toEqual([])
  })

  test.each([
    ["import { parse } from 'iptables-parser'", 'proxy/modes/iptables/read.ts'],
    ["import type { V1Service } from '@kubernetes/client-node'", 'kubernetes/decode/service.ts'],
    ["import type { Event } from '#kubernetes/event.ts'", 'proxy/cluster/cluster.ts'],
    ["import { type Service, type Node } from '#kubernetes/objects.ts'", 'proxy/desired/a.ts'],
    ["import { trace } from '../trace.ts'", 'proxy/modes/iptables/a.ts'],
    ["import { blocks } from '../netfilter/blocks.ts'", 'proxy/modes/iptables/a.ts'],
    ["import type { Socket } from 'node:net'", 'telemetry/a.ts'],
    ["import { isIPv4, isIPv6 } from 'node:net'", 'values/a.ts'],
    ["import { run } from '#proxy/sync/lane.ts'", 'main.ts'],
    ['const then = new Date(5)', 'telemetry/a.ts'],
    ['const where = process.platform', 'values/a.ts'],
    ["import { version } from '../../package.json'", 'command-line/version.ts'],
    ["const text = 'process.env and setTimeout(1)' // Date.now()", 'values/a.ts'],
  ])('has nothing against %s in %s', (text, path) => {
    expect(violationsOf({ path, text })).toEqual([])
  })

  test('puts a wall at 250 lines', () => {
    const long = (lines: number) => ({ path: 'values/a.ts', text: '// a\n'.repeat(lines) })
    expect(violationsOf(long(250))).toEqual([])
    expect(violationsOf(long(251))).toEqual(['src/values/a.ts: has 251 lines; the wall is at 250'])
  })

  test('finds a circle, also one of types alone', () => {
    const files = [
      { path: 'src/a.ts', text: "import { b } from './b/b.ts'" },
      { path: 'src/b/b.ts', text: "import type { C } from '#c.ts'" },
      { path: 'src/c.ts', text: "import { a } from './a.ts'" },
      { path: 'src/d.ts', text: "import { a } from './a.ts'" },
    ]
    expect(circlesOf(files)).toEqual([['src/a.ts', 'src/b/b.ts', 'src/c.ts']])
    expect(circlesOf(files.slice(1))).toEqual([])
  })
})
