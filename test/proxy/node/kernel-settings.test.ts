import { describe, expect, test } from 'vitest'
import { applySettings, type KernelSetting, readSettings } from '#proxy/node/kernel-settings.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { captureLog } from '../../support/captured-log.ts'

const OK: Outcome = { code: 0, stdout: '', stderr: '' }

function setting(name: string, value: number, more: Partial<KernelSetting> = {}): KernelSetting {
  return { path: `/proc/sys/${name}`, name, value, avoid: `--${name}`, logged: [1, `Set ${name}`], ...more }
}

/** Files with a number each; some refuse what is written to them. */
function machine(files: Readonly<Record<string, number>>, refusals: Readonly<Record<string, string>> = {}) {
  const written: string[] = []
  const kernel: Kernel = {
    run: async ({ argv: [program, ...words], input = '' }) => {
      if (program !== 'tee') {
        const asked = words.slice(2)
        const lines = asked.filter(path => path in files).map(path => `${path}:${files[path]}\n`)
        const absent = asked.filter(path => !(path in files)).map(path => `grep: ${path}: No such file or directory\n`)
        return { code: absent.length > 0 ? 2 : 0, stdout: lines.join(''), stderr: absent.join('') }
      }
      const why = refusals[words[0]!]
      if (why !== undefined) return { code: 1, stdout: '', stderr: `tee: ${words[0]}: ${why}\n` }
      written.push(`${words[0]}=${input.trim()}`)
      return OK
    },
  }
  return { kernel, written }
}

async function applied(settings: readonly KernelSetting[], ...given: Parameters<typeof machine>) {
  const { kernel, written } = machine(...given)
  const { log, lines } = captureLog()
  await applySettings({ kernel, log }, settings)
  return { written, lines }
}

describe('a kernel setting', () => {
  test('is written where another value is found, and the log says so', async () => {
    expect(await applied([setting('a', 1), setting('b', 2)], { '/proc/sys/a': 0, '/proc/sys/b': 2 })).toEqual({
      written: ['/proc/sys/a=1'],
      lines: ['"Set a"'],
    })
  })

  test('stays where the value found will do', async () => {
    const atLeast = setting('a', 5, { fits: current => current >= 5 })
    expect((await applied([atLeast], { '/proc/sys/a': 9 })).written).toEqual([])
    expect((await applied([atLeast], { '/proc/sys/a': 4 })).written).toEqual(['/proc/sys/a=5'])
  })

  test('that is not there is never written', async () => {
    const { written, lines } = await applied([setting('a', 1)], {})
    expect(written).toEqual([])
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('this kernel has no such setting')
    expect(lines[0]).toContain('a: unknown, wanted 1')
    expect(lines[0]).toContain('--a')
  })

  test('is left alone where another that it needs could not be set', async () => {
    const settings = [setting('first', 1), setting('second', 1, { needs: 'first' }), setting('third', 1)]
    const files = { '/proc/sys/first': 0, '/proc/sys/second': 0, '/proc/sys/third': 0 }
    const { written } = await applied(settings, files, { '/proc/sys/first': 'Permission denied' })
    expect(written).toEqual(['/proc/sys/third=1'])
  })

  test('is not read again where it was read before', async () => {
    const { kernel, written } = machine({ '/proc/sys/a': 0 })
    const found = await readSettings(kernel, [setting('a', 1)])
    expect([...found.values]).toEqual([['/proc/sys/a', 0]])
    const asked: string[] = []
    const counting: Kernel = {
      run: command => {
        asked.push(command.argv[0])
        return kernel.run(command)
      },
    }
    await applySettings({ kernel: counting, log: captureLog().log }, [setting('a', 1)], found)
    expect([asked, written]).toEqual([['tee'], ['/proc/sys/a=1']])
  })
})

describe('what could not be written', () => {
  test('is one line for each reason, with what leaves the settings alone', async () => {
    const settings = ['a', 'b', 'c'].map(name => setting(name, 1, { avoid: name === 'c' ? '--other' : '--same' }))
    const files = { '/proc/sys/a': 0, '/proc/sys/b': 0, '/proc/sys/c': 0 }
    const { lines } = await applied(settings, files, {
      '/proc/sys/a': 'Permission denied',
      '/proc/sys/b': 'Permission denied',
      '/proc/sys/c': 'Read-only file system',
    })
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain('a: 0, wanted 1')
    expect(lines[0]).toContain('b: 0, wanted 1')
    expect(lines[0]!.match(/--same/g)).toHaveLength(1)
  })

  test.each([
    ['/proc/sys/a', 'Permission denied', 'only root in the host'],
    ['/proc/sys/a', 'Read-only file system', 'this container is not privileged'],
    ['/proc/4711/oom_score_adj', 'Permission denied', 'to lower it takes CAP_SYS_RESOURCE'],
    ['/proc/sys/a', 'Invalid argument', 'Invalid argument'],
  ])('%s, %s, is explained: %s', async (path, said, reason) => {
    const { lines } = await applied([setting('a', 1, { path })], { [path]: 0 }, { [path]: said })
    expect(lines[0]).toContain(reason)
    expect(lines[0]).toContain(said)
  })

  test('because conntrack is not there says which module is missing', async () => {
    const { lines } = await applied([setting('a', 1, { path: '/proc/sys/net/netfilter/nf_conntrack_max' })], {})
    expect(lines[0]).toContain('the kernel module nf_conntrack is not loaded')
  })
})
