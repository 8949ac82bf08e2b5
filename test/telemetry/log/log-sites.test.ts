import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLog } from '#telemetry/log/klog.ts'
import { withLogSites } from '../../../build/log-sites.ts'

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

describe('the bundle', () => {
  beforeAll(() => run(process.execPath, ['build.ts', '--into', join(folder, 'dist')], { cwd: ROOT }))

  /** Exits with 1, so the lines come with an error. */
  async function logged(program: string, argv: readonly string[]): Promise<readonly string[]> {
    const { stderr } = await run(process.execPath, [program, ...argv], { cwd: folder }).catch(error => error)
    return (stderr as string).split('\n').filter(line => line !== '')
  }

  const BAD = `{ apiVersion: v1, kind: Service, metadata: { namespace: default, name: bad }, spec: { clusterIP: 10.96.0.400, ports: [{ port: 80 }] } }`

  test.each([
    ['render', ['render', 'bad.yaml', '--proxy-mode=iptables'], ['kubernetes.ts']],
    ['run', ['run', '--kubeconfig=gone.conf', '-v=1'], ['start.ts']],
  ])('of %s names the lines that the sources name, and each is a call', async (_, argv, files) => {
    await writeFile(join(folder, 'bad.yaml'), BAD)
    const fromSources = (await logged(join(ROOT, 'src/main.ts'), argv)).map(withoutTime)
    const lines = (await logged(join(folder, 'dist/switchyard.js'), argv)).map(withoutTime)
    expect(lines).toEqual(fromSources)
    const sites = new Set(lines.map(line => /^\w (\S+):(\d+)\]/.exec(line)!.slice(1).join(':')))
    expect([...new Set([...sites].map(site => site.split(':')[0]))]).toEqual(files)
    for (const site of sites) {
      const [file, line] = site.split(':')
      const source = await readFile(join(ROOT, globSync(`src/**/${file}`, { cwd: ROOT })[0]!), 'utf8')
      expect(source.split('\n')[Number(line) - 1]).toMatch(/\.(?:say|info|warning|error)\(/)
    }
  })
})

/** `I start.ts:43] …` */
function withoutTime(line: string): string {
  return line.replace(/^(\w)\d{4} [\d:.]+ +\d+ /, '$1 ')
}
