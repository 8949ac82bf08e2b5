import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLog } from '#telemetry/log/klog.ts'
import { logSites, withLogSites } from '../../../build/log-sites.ts'
import { FAILURE, report } from '../reports.ts'

// The file and line in a klog line are the file and line that write it: in the sources, and in a bundle.

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const run = promisify(execFile)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-sites-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Calls in every form that stands in our sources; the message is the line. */
const CALLS = `
export function speak(log, parts) {
  log.info(0, '3')
  log.say('4'); log.warning('4')
  log
    .error('6', undefined)
  parts.log?.info(
    0,
    '7',
  )
  if (log.v(0)) log.say('11')
  for (const line of ['12', '12']) log.say(line)
}
`

async function sitesAndMessages(name: string, source: string): Promise<readonly (readonly string[])[]> {
  const path = join(folder, name)
  await writeFile(path, source)
  const { speak } = await import(pathToFileURL(path).href)
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line) }
  const log = openLog({ format: 'text', verbosity: 0, sink, clock: { now: () => 0 }, pid: 1 })
  speak(log, { log })
  return lines.map(line => /([^ ]+:\d+)\] "?(\d+)"?\n$/.exec(line)!.slice(1))
}

describe('the file and line of a call', () => {
  const said = ['3', '4', '4', '6', '7', '11', '12', '12']

  test('come from the stack where sources run unbuilt', async () => {
    expect(await sitesAndMessages('unbuilt.ts', CALLS)).toEqual(said.map(line => [`unbuilt.ts:${line}`, line]))
  })

  test('are written into a bundle by the build, and are the same', async () => {
    const built = withLogSites(CALLS, 'unbuilt.ts').replace(/^/, '\n\n\n')
    expect(await sitesAndMessages('built.ts', built)).toEqual(said.map(line => [`unbuilt.ts:${line}`, line]))
  })

  test('leave the rest of a source as it is', () => {
    const source = "Math.log(2); catalog.info(0, 'x'); log.with({}); console.error('x'); logger.info({}); log.flush()"
    expect(withLogSites(source, 'x.ts')).toBe(source)
  })
})

describe('in src', () => {
  const sources = globSync('src/**/*.ts', { cwd: ROOT })
    .filter(path => !path.startsWith('src/telemetry/log/klog'))
    .map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
  const CALL = /(?<receiver>[\w)]+)\s*\??\.\s*(?:say|info|warning|error|v)\(/g

  test('no site is written by hand', () => {
    const byHand = sources.flatMap(
      ({ path, text }) => text.match(/\.at\(['"`]|['"][\w.-]+\.ts:\d+['"]/g)?.map(it => `${path}: ${it}`) ?? [],
    )
    expect(byHand).toEqual([])
  })

  test('what logs is called log, or the build would not find the call', () => {
    const others = sources.flatMap(({ path, text }) =>
      [...text.matchAll(CALL)].filter(({ groups }) => groups!.receiver !== 'log').map(([call]) => `${path}: ${call}`),
    )
    expect(others).toEqual([])
  })

  test('no two files that log have the same name: a site names one line', () => {
    const names = sources.filter(({ text }) => text.search(CALL) >= 0).map(({ path }) => basename(path))
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    expect(names).toContain('agent.ts')
  })
})

describe('a bundle', () => {
  beforeAll(() => run(process.execPath, ['build.ts', '--into', join(folder, 'dist')], { cwd: ROOT }))

  test('names the same files and lines as the sources', async () => {
    await build({
      absWorkingDir: ROOT,
      entryPoints: ['src/telemetry/log/report.ts', 'src/telemetry/log/relay.ts', 'src/telemetry/log/kubernetes.ts'],
      outdir: join(folder, 'parts'),
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      minify: true,
      plugins: [logSites],
    })
    const sources = await spoken(join(ROOT, 'src/telemetry/log'), 'ts')
    expect(await spoken(join(folder, 'parts'), 'js')).toEqual(sources)
    expect(new Set(sources).size).toBe(7)
    for (const [file, line] of sources.map(site => site.split(':'))) {
      const source = readFileSync(join(ROOT, 'src/telemetry/log', file!), 'utf8').split('\n')
      expect(source[Number(line) - 1]).toMatch(/\blog\.(?:say|info|warning|error)\(/)
    }
  })

  test.each([
    ['-v=1', 2],
    ['--vmodule=start=1', 2],
    ['--vmodule=agent=1', 1],
  ])('of npm run build, run with %s, logs from the lines of the sources, %d of them', async (verbosity, count) => {
    const argv = ['run', '--kubeconfig=gone.conf', verbosity]
    const [sources, bundle] = [
      await sitesOf('src/main.ts', argv),
      await sitesOf(join(folder, 'dist/switchyard.js'), argv),
    ]
    expect(bundle).toEqual(sources)
    expect(new Set(bundle).size).toBe(count)
  })
})

/** The sites of lines from every place of three files that log. */
async function spoken(from: string, ending: string): Promise<readonly string[]> {
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line) }
  const log = openLog({ format: 'text', verbosity: 4, sink, clock: { now: () => 0 }, pid: 1 })
  const load = (name: string) => import(pathToFileURL(join(from, `${name}.${ending}`)).href)
  const { logReport }: typeof import('#telemetry/log/report.ts') = await load('report')
  const { logRelayEvent }: typeof import('#telemetry/log/relay.ts') = await load('relay')
  const { logNotices }: typeof import('#telemetry/log/kubernetes.ts') = await load('kubernetes')
  logReport(log, report({ drift: { count: 1, units: ['chain'] }, blocked: [{ unit: 'chain', by: 'rule' }] }))
  logReport(log, report({ failure: FAILURE }))
  logRelayEvent(log, { what: 'endpoints', name: 'tcp a', endpoints: [] })
  logRelayEvent(log, { what: 'crashed', worker: 1, error: new Error('x') })
  logNotices(log)({ what: 'unselected', resource: 'Node', selector: 'x', reason: 'x' })
  return lines.map(line => SITE.exec(line)![1]!)
}

const SITE = /^\w\d{4} [\d:.]+ +\d+ (\S+:\d+)\]/

/** Of a program that has nothing to do and exits with 1. */
async function sitesOf(program: string, argv: readonly string[]): Promise<readonly string[]> {
  const { code, stderr } = await run(process.execPath, [program, ...argv], { cwd: ROOT }).catch(error => error)
  expect(code).toBe(1)
  return (stderr as string)
    .trimEnd()
    .split('\n')
    .map(line => SITE.exec(line)![1]!)
}
