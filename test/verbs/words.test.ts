import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { helpText } from '#config/shown/help.ts'
import { notAVerb, VERBS, type Verb } from '#config/verbs.ts'
import { Program } from '../effects/program.ts'

// The first word of a command line: a verb, a flag of run, or a mistake.

let program: Program
beforeEach(() => {
  program = new Program()
})
afterEach(() => program.remove())

test('every verb has its module, and every module is a verb', () => {
  const modules = readdirSync(new URL('../../src/verbs', import.meta.url))
  expect(modules.toSorted()).toEqual(
    Object.keys(VERBS)
      .map(verb => `${verb}.ts`)
      .toSorted(),
  )
})

test.each([
  ['rendr', '"rendr" is no verb; did you mean render?'],
  ['Verify', '"Verify" is no verb; did you mean verify?'],
  [
    'sandbox',
    '"sandbox" is no verb; the verbs are run, render, verify, explain, cleanup, setup, pods, ipam, ranges, cni, help, completion, man, version',
  ],
])('%s is no verb, and that is said', async (word, line) => {
  expect(notAVerb(word)).toBe(line)
  expect(await program.run(word, '--proxy-mode=iptables')).toEqual({ code: 1, stdout: '', stderr: `Error: ${line}\n` })
  expect(program.asked).toBe('')
})

describe('help', () => {
  test.each<[readonly string[], Verb]>([
    [['help'], 'run'],
    [['--help'], 'run'],
    [['help', 'render'], 'render'],
    [['render', '--help'], 'render'],
    [['help', 'help'], 'help'],
    [['help', '-h'], 'help'],
  ])('%j is the help of %s', async (words, verb) => {
    expect(await program.run(...words)).toEqual({ code: 0, stdout: helpText(verb), stderr: '' })
  })

  test.each([
    [['help', 'rendr'], 'Error: "rendr" is no verb; did you mean render?\n'],
    [['help', 'render', 'x'], 'Error: "switchyard help" takes [VERB], got ["render" "x"]\n'],
  ])('%j is refused', async (words, line) => {
    const { code, stdout, stderr } = await program.run(...words)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr.startsWith(line)).toBe(true)
  })
})

test('version is the line that --version is', async () => {
  const asked = await program.run('version')
  expect(asked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Switchyard v\d+\.\d+\.\d+\n$/), stderr: '' })
  expect(await program.run('--version')).toEqual(asked)
})

test('a flag that a verb does not read is refused, with the verbs that do', async () => {
  const { code, stderr } = await program.run('cleanup', '--cluster-cidr=10.0.0.0/8')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^Error: unknown flag: --cluster-cidr \(it belongs to: run, render, verify, explain, ranges, pods\)\n/,
  )
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
})
