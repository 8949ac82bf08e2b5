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

test('a flag that a verb does not read is refused, with the verbs that do', async () => {
  const { code, stderr } = await program.run('cleanup', '--cluster-cidr=10.0.0.0/8')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^Error: unknown flag: --cluster-cidr \(it belongs to: run, render, verify, explain, ranges, pods\)\n/,
  )
  expect(program.asked).toBe('')
})
