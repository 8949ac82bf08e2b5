import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readFiles, writeFileOf } from '#system/answers/kernel-files.ts'

// What programs say of files of the kernel, without them: beside the programs themselves.

const TYPE = '/proc/sys/kernel/ostype'
const RELEASE = '/proc/sys/kernel/osrelease'
const MISSING = '/proc/sys/net/no-such-setting'
/** Without a line: no process here has timers of its own. */
const EMPTY = '/proc/self/timers'

function said(program: 'cat' | 'grep', paths: readonly string[]) {
  const words = program === 'cat' ? paths : ['-H', '', ...paths]
  const { status, stdout, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  return { code: status, stdout, stderr }
}

describe('files that are read', () => {
  test.each([
    ['one', [TYPE]],
    ['several', [TYPE, RELEASE, TYPE]],
    ['one that is missing', [MISSING]],
    ['one that is missing among others', [TYPE, MISSING, RELEASE]],
    ['a folder', ['/proc/sys/kernel']],
    ['one without a line', [EMPTY]],
    ['one without a line among others', [EMPTY, TYPE]],
  ])('%s', (_, paths) => {
    for (const program of ['cat', 'grep'] as const) expect(readFiles(program, paths)).toEqual(said(program, paths))
  })

  test.each([
    ['none', []],
    ['one of another program', ['/etc/hostname']],
    ['one of another program among others', [TYPE, '/etc/hostname']],
    ['one outside, by a way through', ['/proc/../etc/hostname']],
    ['one outside, by a way through a folder', ['/sys/kernel/../../etc/hostname']],
    ['one with a path of its own', ['proc/sys/kernel/ostype']],
    ['a folder with a name that begins the same', ['/process/x']],
  ])('are not %s', (_, paths) => {
    expect(readFiles('cat', paths)).toBeUndefined()
    expect(readFiles('grep', paths)).toBeUndefined()
  })
})

describe('a file that is written', () => {
  const PATH = '/proc/self/oom_score_adj'

  test('has the value, which is said as `tee` says it', async () => {
    const before = readFileSync(PATH, 'utf8')
    expect(await writeFileOf([PATH], before)).toEqual({ code: 0, stdout: before, stderr: '' })
    expect(readFileSync(PATH, 'utf8')).toBe(before)
  })

  test('that the kernel refuses is an outcome', async () => {
    expect(await writeFileOf([PATH], '5000\n')).toEqual({
      ...{ code: 1, stdout: '5000\n', stderr: `tee: ${PATH}: Invalid argument\n` },
    })
    expect(await writeFileOf([MISSING], '1')).toMatchObject({ code: 1, stderr: expect.stringContaining(MISSING) })
  })

  test.each([[[]], [[PATH, PATH]], [['/etc/hostname']], [['/proc/../etc/hostname']], [['-a']]])('is not %j', paths =>
    expect(writeFileOf(paths, 'x')).toBeUndefined(),
  )
})
