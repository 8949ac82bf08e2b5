import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }

// What ships: built once as `npm run build` does, and looked at.

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly imports: readonly { readonly path: string; readonly kind: string }[]
        readonly inputs: Readonly<Record<string, unknown>>
      }
    >
  >
}

/** With what it loads at once, and what it may load later. */
function reachedFrom(entry: string, outputs: Metafile['outputs']): ReadonlySet<string> {
  const seen = new Set<string>()
  const waiting = [entry]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    waiting.push(...(outputs[path]?.imports.map(one => one.path) ?? []))
  }
  return seen
}

describe('the bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bundle-'))
  const dist = join(folder, 'dist')
  const program = join(dist, 'switchyard.js')
  let metafile: Metafile

  beforeAll(() => {
    const path = join(folder, 'metafile.json')
    execFileSync(process.execPath, ['build.ts', `--into=${dist}`, `--metafile=${path}`], { cwd: ROOT })
    metafile = JSON.parse(readFileSync(path, 'utf8')) as Metafile
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('holds nothing of the lab, the tests or the benches', () => {
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.length).toBeGreaterThan(200)
    expect(inputs.filter(path => /^(?:lab|test|bench)\//.test(path))).toEqual([])
  })

  test('has client-node in a chunk that only verbs of an operator load, and only where a kubeconfig is read', () => {
    const { outputs } = metafile
    const holds = Object.keys(outputs).filter(path =>
      Object.keys(outputs[path]!.inputs).some(input => input.includes('node_modules/@kubernetes/')),
    )
    expect(holds).toHaveLength(1)
    const importers = Object.keys(outputs).filter(path => outputs[path]!.imports.some(one => one.path === holds[0]))
    expect(importers.length).toBeGreaterThan(0)
    for (const path of importers) {
      const kinds = outputs[path]!.imports.filter(one => one.path === holds[0]).map(({ kind }) => kind)
      expect(kinds).toEqual(['dynamic-import'])
    }
    const entry = Object.keys(outputs).find(path => /\/run-[^/]+\.js$/.test(path))!
    const ofAgent = reachedFrom(entry, outputs)
    expect(importers.filter(path => ofAgent.has(path))).toEqual([])
  })

  test('has what takes profiles in a chunk of its own, which nothing loads at once', () => {
    const { outputs } = metafile
    const holds = Object.keys(outputs).filter(path => 'src/system/profiler.ts' in outputs[path]!.inputs)
    expect(holds).toHaveLength(1)
    expect(Object.keys(outputs[holds[0]!]!.inputs)).toEqual(['src/system/profiler.ts'])
    const kinds = Object.values(outputs).flatMap(({ imports }) => imports.filter(({ path }) => path === holds[0]))
    expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(['dynamic-import']))
  })

  test('keeps the names of functions, for profiles and stack traces', () => {
    const chunk = readdirSync(dist).find(name => name.startsWith('profiler-'))!
    expect(readFileSync(join(dist, chunk), 'utf8')).toContain('function sampledHeap(session,')
  })

  test('names the licence of every package in it', () => {
    const licences = readFileSync(join(dist, 'THIRD-PARTY.txt'), 'utf8')
    const packages = Object.keys(metafile.inputs).flatMap(
      path => /node_modules\/(?:.*node_modules\/)?((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
    )
    expect(new Set(packages).size).toBeGreaterThan(3)
    const unnamed = [...new Set(packages)].filter(name => !licences.includes(`\n${name} `))
    expect(unnamed).toEqual([])
  })

  test('loads the chunk of one verb and not those of the others', () => {
    const entry = Object.keys(metafile.outputs).find(path => path.endsWith('/switchyard.js'))!
    const later = metafile.outputs[entry]!.imports.filter(({ kind }) => kind === 'dynamic-import')
    expect(later.length).toBeGreaterThan(5)
    const names = readdirSync(dist)
    for (const verb of ['run', 'render', 'verify', 'explain', 'cleanup', 'setup']) {
      expect(names.some(name => name.startsWith(`${verb}-`))).toBe(true)
    }
  })

  test('says in one line which Node it needs, to one that is too old', () => {
    const pretend = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })"
    const argv = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, program, '--version']
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^Error: Switchyard needs Node\.js 24 or newer; this is v[\d.]+\.\n$/)
    expect(manifest.engines.node).toBe('>=24')
  })
})

test('the package holds what a user needs, and nothing that could come from somewhere else', () => {
  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const packed = Object.values(JSON.parse(listing) as Record<string, { files: { path: string }[] }>)[0]!
  const others = packed.files.map(({ path }) => path).filter(path => !path.startsWith('dist/'))
  expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'METRICS.md', 'README.md', 'SETTINGS.md', 'package.json'])
  expect(manifest.name).toMatch(/^@/)
  expect(manifest).not.toHaveProperty('dependencies')
  expect(manifest.bin.switchyard).toBe('dist/switchyard.js')
  expect(manifest.man).toBe('dist/switchyard.1')
})
