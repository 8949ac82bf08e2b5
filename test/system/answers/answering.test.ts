import { expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { answering } from '#system/answers/answering.ts'
import type { Command, Outcome } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'

/** A kernel that keeps the commands that reach it, and runs none. */
function watched(path = '/usr/sbin:/usr/bin') {
  const ran: Command[] = []
  const outcome: Outcome = { code: 0, stdout: 'by a program', stderr: '' }
  const programs = {
    run: (command: Command) => {
      ran.push(command)
      return Promise.resolve(outcome)
    },
    idle: () => Promise.resolve(),
  }
  const kernel = answering(programs, path)
  return { ran, kernel }
}

const MISSING = '/proc/sys/net/no-such-setting'
const READ_ONLY = '/proc/sys/kernel/ostype'

test.each([
  ['the release of the kernel', anyCommand(['uname', '-r'])],
  ['a file of the kernel', anyCommand(['cat', '/proc/sys/kernel/ostype'])],
  ['a file that is not there', anyCommand(['cat', MISSING])],
  ['several files, named line by line', anyCommand(['grep', '-H', '', '/proc/sys/kernel/ostype', '/proc/filesystems'])],
  ['several files of which one is missing', anyCommand(['grep', '-H', '', '/proc/sys/kernel/ostype', MISSING])],
  ['a file that may not be written', anyCommand(['tee', READ_ONLY], { input: '1\n' })],
  ['a value that the kernel does not take', anyCommand(['tee', '/proc/self/oom_score_adj'], { input: '5000\n' })],
  ['a file that cannot be made', anyCommand(['tee', MISSING], { input: '1\n' })],
])('%s: the same outcome as with the program, without one', async (_, command) => {
  const { ran, kernel } = watched()
  const outcome = await kernel.run(command)
  expect(ran).toEqual([])
  expect(outcome).toEqual(await hostKernel().run(command))
})

test('a value that is written is there', async () => {
  const { ran, kernel } = watched()
  const path = '/proc/self/oom_score_adj'
  const { stdout: before } = await kernel.run(anyCommand(['cat', path]))
  const written = await kernel.run(anyCommand(['tee', path], { input: before }))
  expect(written).toEqual({ code: 0, stdout: before, stderr: '' })
  expect(ran).toEqual([])
})

test.each([
  ['in another network namespace', anyCommand(['ip', 'netns', 'exec', 'blue', 'cat', '/proc/sys/kernel/ostype'])],
  ['about files of other programs', anyCommand(['cat', '/etc/hostname'])],
  ['with other options', anyCommand(['grep', '-c', '', '/proc/mounts'])],
  ['that write several files', anyCommand(['tee', READ_ONLY, MISSING], { input: '1\n' })],
  ['with variables', anyCommand(['cat', '/proc/mounts'], { env: { LC_ALL: 'de_DE' } })],
  ['that change addresses', anyCommand(['ip', '-batch', '-'], { input: 'link show\n' })],
  ['of other programs', anyCommand(['nft', '--version'])],
])('commands %s are run', async (_, command) => {
  const { ran, kernel } = watched()
  expect((await kernel.run(command)).stdout).toBe('by a program')
  expect(ran).toEqual([command])
})

test('where PATH names none of the folders of the system, what is there stands in for its programs, and is run', async () => {
  const { ran, kernel } = watched('/tmp/programs-of-a-test')
  const command = anyCommand(['uname', '-r'])
  expect((await kernel.run(command)).stdout).toBe('by a program')
  expect(ran).toEqual([command])
})
