import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import type { Verb } from '#config/verbs.ts'
import { accepted, parse, problems } from './parsing.ts'

const never = () => Promise.reject(new Error('no file should be read'))

describe('what is to be done', () => {
  test.each<[Verb, readonly string[], string]>([
    ['run', [], 'run'],
    ['render', [], 'run'],
    ['run', ['--cleanup'], 'cleanup'],
    ['cleanup', [], 'cleanup'],
    ['run', ['--init-only'], 'init-only'],
    ['setup', [], 'init-only'],
    ['run', ['--cleanup', '--init-only'], 'cleanup'],
    ['run', ['--cleanup', '--write-config-to=x'], 'write-config'],
    ['run', ['--version'], 'version'],
    ['run', ['--version=raw'], 'version'],
    ['run', ['--version=v1.30.0'], 'run'],
    ['run', ['--version=false'], 'run'],
    ['run', ['--cleanup=false'], 'run'],
    ['run', ['--help'], 'help'],
    ['explain', ['-h'], 'help'],
    ['run', ['--help', '--version', '--cleanup'], 'help'],
  ])('%s %j: %s', async (verb, argv, action) => {
    expect(await accepted({ verb, argv })).toMatchObject({ action })
  })

  test('help and version answer although a value is bad or the file is missing', async () => {
    for (const flag of ['--help', '--version']) {
      const parsed = await parseArguments('run', [flag, '--proxy-mode=x', '--config=gone'], never)
      expect(parsed).toMatchObject({ ok: true })
    }
  })
})

test('--version=raw is another value than --version', async () => {
  expect((await accepted({ argv: ['--version=raw', '-v=9'] })).flags.get('version')).toBe('raw')
  expect((await accepted({ argv: ['--version'] })).flags.get('version')).toBe('true')
})

describe('operands', () => {
  test('are refused in the words of kube-proxy', async () => {
    expect(await parse({ argv: ['x'] })).toEqual({
      ok: false,
      usage: true,
      problems: ['"switchyard" does not take any arguments, got ["x"]'],
    })
    expect(await problems({ argv: ['x', '', 'y'] })).toEqual([
      '"switchyard" does not take any arguments, got ["x" "y"]',
    ])
    expect(await problems({ argv: [''] })).toEqual([])
  })

  test('true behind a switch earns a hint', async () => {
    expect(await problems({ argv: ['--masquerade-all', 'true'] })).toEqual([
      '"switchyard" does not take any arguments, got ["true"]; a switch takes its value with "=": --name=true',
    ])
  })

  test('explain takes one or two', async () => {
    const { operands } = await accepted({ verb: 'explain', argv: ['10.1.0.4', '-f', 'x.yaml', '10.96.0.10:80'] })
    expect(operands).toEqual(['10.1.0.4', '10.96.0.10:80'])
    expect((await accepted({ verb: 'explain', argv: ['default/db'] })).operands).toEqual(['default/db'])
    for (const [argv, got] of [
      [[], 'none'],
      [['a', 'b', 'c'], '["a" "b" "c"]'],
    ] as const) {
      expect(await problems({ verb: 'explain', argv })).toEqual([
        `"switchyard explain" takes [FROM] and TO[:PORT], got ${got}`,
      ])
    }
  })
})

test('a mistyped command line is another problem than a bad value', async () => {
  expect(await parse({ argv: ['--bogus', '-v=x', 'y'] })).toMatchObject({ ok: false, usage: true })
  expect(await parse({ argv: ['--proxy-mode=x'] })).toMatchObject({ ok: false, usage: false })
})

describe('a file that cannot be read is one line with the flag, the path and the reason', () => {
  test.each([
    [Object.assign(new Error('x'), { code: 'ENOENT' }), 'there is no such file (ENOENT)'],
    [Object.assign(new Error('x'), { code: 'EACCES' }), 'permission denied (EACCES)'],
    [Object.assign(new Error('x'), { code: 'EISDIR' }), 'it is a directory; the file in it is wanted (EISDIR)'],
    [Object.assign(new Error('disk on fire'), { code: 'EIO' }), 'disk on fire (EIO)'],
    [new Error('no idea'), 'no idea'],
  ])('%o', async (error, reason) => {
    const parsed = await parseArguments('run', ['--config=/etc/p.conf'], () => Promise.reject(error))
    expect(parsed).toEqual({ ok: false, usage: false, problems: [`--config: cannot read "/etc/p.conf": ${reason}`] })
  })
})

describe('the flags that are logged at start', () => {
  test('are all of them, sorted, in the form kube-proxy gives them', async () => {
    const { flags } = await accepted({
      argv: ['--conntrack-max-per-core=0', '--v=4', '--nodeport-addresses=10.0.0.0/8'],
    })
    const lines = [...flags].map(([name, value]) => `--${name}="${value}"`)
    expect([...flags.keys()]).toEqual([...flags.keys()].sort())
    expect(lines).toEqual(
      expect.arrayContaining([
        '--bind-address="0.0.0.0"',
        '--cleanup="false"',
        '--config-sync-period="15m0s"',
        '--conntrack-max-per-core="0"',
        '--feature-gates=""',
        '--ipvs-exclude-cidrs="[]"',
        '--ipvs-min-sync-period="1s"',
        '--log-json-info-buffer-size="0"',
        '--machine-id-file="/etc/machine-id,/var/lib/dbus/machine-id"',
        '--nodeport-addresses="[10.0.0.0/8]"',
        '--proxy-mode="iptables"',
        '--v="4"',
        '--version="false"',
        '--vmodule=""',
      ]),
    )
  })

  test('hold the flags of older releases only where they were given', async () => {
    expect((await accepted({})).flags.has('logtostderr')).toBe(false)
    expect((await accepted({ argv: ['--logtostderr'] })).flags.get('logtostderr')).toBe('true')
  })
})
