import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failureOf, start } from '#command-line/start.ts'
import { helpText } from '#config/shown/help.ts'
import { VERBS, type Verb } from '#config/verbs.ts'
import { Program } from '../effects/program.ts'

// A command line → a verb that is started, or one line for each problem and an exit status.

let program: Program
beforeEach(() => {
  program = new Program()
})
afterEach(() => program.remove())

test('version is the line that --version is', async () => {
  const asked = await program.run('version')
  expect(asked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Switchyard v\d+\.\d+\.\d+\n$/), stderr: '' })
  expect(await program.run('--version')).toEqual(asked)
})

describe('the exit status', () => {
  test('is that of the work that was done', async () => {
    expect(await start('render', [], async () => 7)).toBe(7)
  })

  test('where the work could not be done is 2 of what says by 1 that something was found, and 1 of all else', () => {
    const all = (Object.keys(VERBS) as Verb[]).flatMap(verb => [
      [verb],
      ...Object.keys(VERBS[verb].commands ?? {}).map(words => [verb, words.split(' ')[0]!]),
    ])
    const looking = all.filter(([verb, ...words]) => failureOf(verb as Verb, words) === 2)
    expect(looking.map(words => words.join(' ')).filter(words => !words.startsWith('cni'))).toEqual([
      'verify',
      ...['ipam next', 'ipam status', 'ipam check'],
      'ranges audit',
    ])
    expect(failureOf('ipam', ['-o', 'json', 'check', 'toString'])).toBe(2)
    expect(failureOf('ipam', ['toString'])).toBe(1)
  })

  test.each([
    [['verify'], 2],
    [['render'], 1],
    [['ipam', 'check'], 2],
    [['ipam', 'ls'], 1],
    [['ranges', 'audit'], 2],
  ] as const)('of a mistyped %j is %d', async ([verb, ...words], status) => {
    const { code, stderr } = await program.run(verb, '--bogus', ...words)
    expect(code).toBe(status)
    expect(stderr).toMatch(/^Error: unknown flag: --bogus\n/)
    expect(stderr).toContain(`Run "switchyard ${verb} --help" for all flags.`)
  })

  test.each([['--proxy-mode=x'], ['--config=/no/such'], ['--cleanup']])(
    'of help is 0, whatever else is wrong: %s',
    async flag => {
      expect(await program.run('--help', flag)).toEqual({ code: 0, stdout: helpText('run'), stderr: '' })
      expect(program.asked).toBe('')
    },
  )
})

test('every problem of a command line is a line of its own, and nothing is done', async () => {
  const { code, stdout, stderr } = await program.run('--proxy-mode=x', '--iptables-masquerade-bit=99', '--v=1')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr.split('\n').filter(line => line !== '')).toEqual([
    expect.stringMatching(/^Error: --proxy-mode \(mode\): invalid value "x": must be /),
    expect.stringMatching(
      /^Error: --iptables-masquerade-bit .*: invalid value 99: must be within the range \[0, 31\]$/,
    ),
  ])
  expect(program.asked).toBe('')
})

describe('what a verb says', () => {
  test('stands without klog headers, errors on standard error', async () => {
    program.says('iptables-nft-save', '*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\nCOMMIT\n')
    const { code, stdout, stderr } = await program.run('cleanup')
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^Error: encountered an error while tearing down rules: .*KUBE-SVC-AAAAAAAAAAAAAAAA/)
  })

  test('is a klog line where run does the same', async () => {
    program.says('iptables-nft-save', '*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\nCOMMIT\n')
    const { code, stderr } = await program.run('--cleanup', '--cluster-cidr=10.0.0.0/8', '--healthz-port=0')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^E\d{4} .*\] "command failed" err="encountered an error while tearing down rules: /m)
  })

  test('of success is on standard output', async () => {
    expect(await program.run('cleanup')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
    const { code, stdout, stderr } = await program.run('setup')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Setting nf_conntrack_max nfConntrackMax=\d+\n/)
    expect(stdout).toMatch(/\nThis node is prepared: .*\n$/)
  })
})

describe('--write-config-to', () => {
  test.each([
    ['/no/such/folder/file', 'there is no such folder (ENOENT)'],
    ['/dev/null/file', 'a part of the path is not a folder (ENOTDIR)'],
    ['/', 'it is a folder (EISDIR)'],
  ])('says in one line why %s cannot be written', async (path, reason) => {
    expect(await program.run(`--write-config-to=${path}`)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: --write-config-to: cannot write "${path}": ${reason}\n`,
    })
  })

  test('writes the file, and says so in the log of a daemon', async () => {
    const path = program.path('proxy.yaml')
    const { code, stdout, stderr } = await program.run(`--write-config-to=${path}`, '--cluster-cidr=10.0.0.0/8')
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toMatch(/^I\d{4} .*\] "Wrote configuration" file=".*proxy\.yaml"$/m)
    expect(program.read('proxy.yaml')).toContain('clusterCIDR: 10.0.0.0/8\n')
    expect(program.asked).toBe('')
  })

  test('of what is wrong writes nothing', async () => {
    const path = program.path('proxy.yaml')
    expect(await program.run(`--write-config-to=${path}`, '--cluster-cidr=x')).toMatchObject({ code: 1, stdout: '' })
    expect(existsSync(path)).toBe(false)
  })
})

test('at verbosity 1 an agent logs each of its flags', async () => {
  const { stderr } = await program.run('--init-only', '-v=1', '--hostname-override=one')
  expect(stderr).toMatch(/\] FLAG: --hostname-override="one"$/m)
  const quiet = await program.run('--init-only', '--hostname-override=one')
  expect(quiet.stderr).not.toContain('FLAG:')
})
