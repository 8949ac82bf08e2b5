import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Outcome } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// Real processes: sh, cat, sleep.

const MEGABYTE = 1_000_000
const kernel = hostKernel({ limitMs: 60_000, graceMs: 200 })

function sh(script: string, ...words: string[]): readonly [string, ...string[]] {
  return ['sh', '-c', script, ...words]
}

test('commands that disturb each other run one after another, also after one that failed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-alone-'))
  const script = sh('mkdir "$0/here" || exit 9; sleep 0.02; rmdir "$0/here"; exit "$1"', folder)
  const outcomes = await Promise.all(
    ['0', '3', '0', '0'].map(code => kernel.run(anyCommand([...script, code], { alone: 'this' }))),
  )
  expect(outcomes.map(({ code }) => code)).toEqual([0, 3, 0, 0])
  rmSync(folder, { recursive: true })
})

describe('what a program says and how it ends', () => {
  test('its exit status, stdout and stderr are the outcome', async () => {
    expect(await kernel.run(anyCommand(sh('echo out; echo err >&2; exit 3')))).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  test('input arrives on stdin as it is, without a newline added or taken', async () => {
    expect(await kernel.run(anyCommand(['cat'], { input: 'ü\n\nlast' }))).toEqual({
      code: 0,
      stdout: 'ü\n\nlast',
      stderr: '',
    })
  })

  test('without input, stdin is empty', async () => {
    expect((await kernel.run(anyCommand(['cat']))).stdout).toBe('')
  })

  test('words are passed as they are: no shell looks at them', async () => {
    const word = '$(id); `id` * "x" \'y\' > z | w && v\n'
    expect((await kernel.run(anyCommand(sh('printf %s "$0"', word)))).stdout).toBe(word)
  })

  test('a program that is not there is code 127', async () => {
    expect(await kernel.run(anyCommand(['no-such-tables', '-F']))).toEqual({
      code: 127,
      stdout: '',
      stderr: 'no-such-tables: not found in PATH',
    })
  })

  test('a program that is only looked for in the given path is code 127 elsewhere', async () => {
    const elsewhere = hostKernel({ path: '/nonexistent' })
    expect((await elsewhere.run(anyCommand(['sh', '-c', 'true']))).code).toBe(127)
  })

  test('a file that may not be executed is code 126', async () => {
    const outcome = await kernel.run(anyCommand(['/etc/passwd']))
    expect(outcome).toEqual({ code: 126, stdout: '', stderr: '/etc/passwd: may not be executed (permission denied)' })
  })

  test('a word no program can be given is an outcome, with small input and with large', async () => {
    for (const input of ['x', 'x'.repeat(11 * MEGABYTE)]) {
      const outcome = await kernel.run(anyCommand(['cat', 'zero\0byte'], { input }))
      expect(outcome.code).toBe(126)
      expect(outcome.stderr).toMatch(/^cat: could not be started: .*null bytes/)
    }
  })

  test('a program ended by a signal is code 128 plus its number', async () => {
    expect((await kernel.run(anyCommand(sh('kill -KILL $$')))).code).toBe(137)
    expect((await kernel.run(anyCommand(sh('kill -TERM $$'), { input: 'x'.repeat(11 * MEGABYTE) }))).code).toBe(143)
  })
})

describe('the environment', () => {
  test('is PATH, LC_ALL=C and what the command adds, and nothing of ours', async () => {
    process.env.SWITCHYARD_TEST = 'leaked'
    const { stdout } = await kernel.run(anyCommand(['env'], { env: { XTABLES_LIBDIR: '/lib/x' } }))
    delete process.env.SWITCHYARD_TEST
    expect(stdout.trim().split('\n').sort()).toEqual(['LC_ALL=C', `PATH=${process.env.PATH}`, 'XTABLES_LIBDIR=/lib/x'])
  })
})

describe('the time limit', () => {
  test('ends the program, and says so', async () => {
    expect(await kernel.run(anyCommand(['sleep', '100'], { timeoutMs: 100 }))).toEqual({
      code: 124,
      stdout: '',
      stderr: 'sleep: ended after 0.1 s: time limit',
    })
  })

  test('ends a program that does not listen to SIGTERM', async () => {
    const script = 'trap "" TERM; echo hm >&2; echo here; while :; do sleep 0.05; done'
    const { limit, ...outcome } = await ended(script)
    expect(outcome).toEqual({ code: 124, stdout: 'here\n', stderr: `hm\nsh: ended after ${limit}: time limit` })
  })

  test('ends what the program left behind, which still holds stdout', async () => {
    const outcome = await ended('sleep 100 & echo $!')
    expect(outcome.code).toBe(124)
    await gone(Number(outcome.stdout))
  })

  test('is kept even where a child left the group and holds stdout', async () => {
    // It has left when it says its number.
    const outcome = await ended("setsid sh -c 'echo $$; exec sleep 100' &")
    expect(outcome.code).toBe(124)
    process.kill(Number(outcome.stdout), 'SIGKILL')
  })

  test('ends a program that reads only half of a large document', async () => {
    const argv = sh('head -c 1000 >/dev/null; sleep 100')
    expect((await kernel.run(anyCommand(argv, { input: 'x'.repeat(50 * MEGABYTE), timeoutMs: 300 }))).code).toBe(124)
  })

  test('does not touch a program that is done in time and left a silent child', async () => {
    const outcome = await kernel.run(anyCommand(sh('sleep 100 >/dev/null 2>&1 & echo $!')))
    expect(outcome.code).toBe(0)
    const left = Number(outcome.stdout)
    expect(isAlive(left)).toBe(true)
    process.kill(left, 'SIGKILL')
  })
})

describe('large documents', () => {
  test('50 MB of which nothing is read are an outcome', async () => {
    const input = 'x'.repeat(50 * MEGABYTE)
    expect(await kernel.run(anyCommand(sh('echo refused >&2; exit 2'), { input }))).toEqual({
      code: 2,
      stdout: '',
      stderr: 'refused\n',
    })
  })

  test('5 MB of which nothing is read are an outcome', async () => {
    const input = 'x'.repeat(5 * MEGABYTE)
    expect((await kernel.run(anyCommand(sh('exit 2'), { input }))).code).toBe(2)
  })

  test('100 MB go in and come out whole', async () => {
    const input = 'Überlänge\n'.repeat(10 * MEGABYTE)
    const { code, stdout } = await kernel.run(anyCommand(['cat'], { input }))
    expect(code).toBe(0)
    expect(stdout === input).toBe(true)
    const pairs = `x${'😀'.repeat(MEGABYTE / 2)}`
    expect((await kernel.run(anyCommand(['cat'], { input: pairs }))).stdout === pairs).toBe(true)
  })

  test('a program that complains without end is let finish, and its first complaints are kept', async () => {
    const { code, stderr } = await kernel.run(anyCommand(sh('yes complaint | head -n 200000 >&2; exit 5')))
    expect(code).toBe(5)
    expect(stderr).toMatch(/^(complaint\n){6553}complai?n?t?\n?\n\(1934464 more characters\)$/)
  })
})

describe('several commands', () => {
  test('run side by side', async () => {
    // Each waits for a line the other one writes into a pipe, so one after the other they would never end.
    const { stdout: folder } = await kernel.run(anyCommand(sh('d=$(mktemp -d); mkfifo $d/a; printf %s $d')))
    const [one, other] = await Promise.all([
      kernel.run(anyCommand(sh('read line < "$0/a"; echo "$line"', folder))),
      kernel.run(anyCommand(sh('echo met > "$0/a"', folder))),
    ])
    expect([one.stdout, other.code]).toEqual(['met\n', 0])
    await kernel.run(anyCommand(['rm', '-r', folder]))
  })

  test('idle waits for all that run, and is over at once where none does', async () => {
    const quiet = hostKernel()
    await quiet.idle()
    const done: string[] = []
    const run = quiet.run(anyCommand(['cat'], { input: 'x'.repeat(MEGABYTE) })).then(() => done.push('run'))
    await quiet.idle().then(() => done.push('idle'))
    await run
    expect(done).toEqual(['run', 'idle'])
  })
})

/** Ended at the first limit, of 0.1, 0.2, 0.4 … s, by which it has printed something: a machine may be slow to start it. */
async function ended(script: string): Promise<Outcome & { readonly limit: string }> {
  for (let timeoutMs = 100; ; timeoutMs *= 2) {
    const outcome = await kernel.run(anyCommand(sh(script), { timeoutMs }))
    if (outcome.stdout !== '') return { ...outcome, limit: `${timeoutMs / 1000} s` }
    expect(outcome.code).toBe(124)
  }
}

/** A killed orphan stays in the list until its new parent reaps it: that is dead enough. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z')
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(0)
  await expect.poll(() => isAlive(pid), { interval: 10 }).toBe(false)
}
