import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Libc, libc } from '#system/netlink/libc.ts'
import { HeldNamespace, NamespaceRefused } from '#system/netlink/namespace.ts'

// Into another namespace and back, whatever happens there: with a kernel that only counts, and with the real one.

const OWN = '/proc/self/ns/net'
const PERMISSION = 1

/** `setns` answers these, one after the other, and 0 behind them. */
function kernel(...answers: readonly number[]): { readonly libc: Libc; readonly entered: number[] } {
  const entered: number[] = []
  const setns = (fd: number): number => {
    entered.push(fd)
    return answers[entered.length - 1] ?? 0
  }
  return { libc: { ...libc()!, setns, errno: () => PERMISSION }, entered }
}

class Lost extends Error {}

const held = (c: Libc): HeldNamespace =>
  HeldNamespace.open(OWN, c, () => {
    throw new Lost()
  })

test('a turn is made inside, and its result comes out', () => {
  const { libc, entered } = kernel()
  const namespace = held(libc)
  entered.length = 0
  expect(namespace.inside(() => [...entered])).toEqual([namespace.fd])
  expect(entered).toHaveLength(2)
  expect(entered[1]).not.toBe(namespace.fd)
  namespace.close()
})

test('an exception inside comes out when the thread is back', () => {
  const { libc, entered } = kernel()
  const namespace = held(libc)
  entered.length = 0
  const fail = (): never => {
    throw new RangeError('inside')
  }
  expect(() => namespace.inside(fail)).toThrow(RangeError)
  expect(entered).toHaveLength(2)
  namespace.close()
})

test('where the kernel does not let the thread in, the turn is not made', () => {
  const { libc } = kernel(0, 0, -1)
  const namespace = held(libc)
  let made = false
  expect(() =>
    namespace.inside(() => {
      made = true
    }),
  ).toThrow(new NamespaceRefused(OWN, 'EPERM'))
  expect(made).toBe(false)
  namespace.close()
})

test('where it does not let the thread back, nothing goes on', () => {
  const { libc } = kernel(0, 0, 0, -1)
  const namespace = held(libc)
  expect(() => namespace.inside(() => 'done')).toThrow(Lost)
  namespace.close()
})

test('the process ends at once where it cannot come back, and no handler of it runs', () => {
  const program = `
    import { HeldNamespace } from '#system/netlink/namespace.ts'
    import { libc } from '#system/netlink/libc.ts'
    let calls = 0
    const setns = () => (++calls === 4 ? -1 : 0)
    process.on('exit', () => console.log('exit'))
    const held = HeldNamespace.open('${OWN}', { ...libc(), setns })
    try { held.inside(() => console.log('inside')) } catch { console.log('caught') } finally { console.log('finally') }
    console.log('on')
  `
  const { signal, stdout } = spawnSync(
    'sh',
    ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', program],
    {
      encoding: 'utf8',
    },
  )
  expect([signal, stdout]).toEqual(['SIGABRT', 'inside\n'])
})

test('a path where nothing is, or no namespace, is refused, and no file stays open', () => {
  expect(() => HeldNamespace.open('/run/netns/never-was')).toThrow(
    new NamespaceRefused('/run/netns/never-was', 'ENOENT'),
  )
  // No other thread of this process has it open.
  const folder = mkdtempSync(join(tmpdir(), 'no-namespace-'))
  const file = join(folder, 'file')
  writeFileSync(file, '')
  expect(() => HeldNamespace.open(file)).toThrow(NamespaceRefused)
  const open = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
  expect(open.filter(path => path === file)).toEqual([])
  rmSync(folder, { recursive: true })
})
