import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { CommandFailed, must } from '#system/must.ts'
import type { Outcome } from '#system/ports.ts'

const INPUT = ['*nat', '-A a', '-A b', '-A c', '-A d', '-A e', 'COMMIT'].join('\n')
const failed = (stderr: string, input?: string) =>
  new CommandFailed(anyCommand(['iptables-restore', '-w'], input === undefined ? {} : { input }), {
    code: 4,
    stdout: '',
    stderr,
  })

describe('a command that must succeed', () => {
  const run = (outcome: Partial<Outcome>, more: object = {}) =>
    must(
      { run: async () => ({ code: 0, stdout: '', stderr: '', ...outcome }) },
      { ...anyCommand(['ip', 'link']), ...more },
    )

  test('has the outcome that it had, also where it complained', async () => {
    expect(await run({ stdout: 'x', stderr: 'a warning' })).toEqual({ code: 0, stdout: 'x', stderr: 'a warning' })
  })

  test('has failed where it says so, or complained and that means so', async () => {
    await expect(run({ code: 2, stderr: '\nno such device\nmore\n' })).rejects.toThrow(
      'ip exited with 2: no such device',
    )
    await expect(run({ code: 1 })).rejects.toThrow('ip exited with 1: it said nothing')
    await expect(run({ stderr: 'line 1 failed' }, { stderr: 'means-failure' })).rejects.toBeInstanceOf(CommandFailed)
    await expect(run({ stderr: ' \n' }, { stderr: 'means-failure' })).resolves.toMatchObject({ code: 0 })
  })
})

describe('the line that was refused', () => {
  test.each([
    ['iptables-restore: line 5 failed', 5],
    ['Error occurred at line: 12', 12],
    ['/dev/stdin:3:1-4: Error: syntax error', 3],
    ['warning\n/dev/stdin:3:1-4: Error', 3],
    ['Command failed -:7', undefined],
    ['line 0', undefined],
    ['no such chain', undefined],
    ['', undefined],
  ])('of %j is %s', (stderr, line) => expect(failed(stderr, INPUT).line).toBe(line))

  test('is shown with those around it, as many as there are', () => {
    expect(failed('line 4 failed', INPUT).near(1)).toEqual([':3 -A b', ':4 -A c', ':5 -A d'])
    expect(failed('line 1 failed', INPUT).near(1)).toEqual([':1 *nat', ':2 -A a'])
    expect(failed('line 7 failed', INPUT).near()).toEqual([':4 -A c', ':5 -A d', ':6 -A e', ':7 COMMIT'])
    expect(failed('line 99 failed', INPUT).near()).toEqual([])
  })

  test('is not shown where there is none, or no input', () => {
    expect(failed('no such chain', INPUT).near()).toEqual([])
    expect(failed('line 4 failed').near()).toEqual([])
  })
})
