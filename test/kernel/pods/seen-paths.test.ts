import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

const PROGRAM = new URL('../../../src/system/seen-paths.ts', import.meta.url).pathname

/** What a process says that stands in namespaces of its own, as a container does. */
async function seen(unshare: readonly string[], before: string): Promise<string> {
  const ask = `const { seesAll } = await import(${JSON.stringify(PROGRAM)})
    console.log(await seesAll('/run/netns/x'), await seesAll('/proc/1/ns/net'))`
  const shell = `${before}\nexec "$0" --input-type=module -e "$1"`
  const { stdout } = await run('unshare', [...unshare, 'sh', '-c', shell, process.execPath, ask])
  return stdout.trim()
}

test('on the node itself all is seen', async () => {
  const ask = `const { seesAll } = await import(${JSON.stringify(PROGRAM)})
    console.log(await seesAll('/run/netns/x'), await seesAll('/proc/1/ns/net'))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', ask])
  expect(stdout.trim()).toBe('true true')
})

test('with process numbers of its own, /proc says nothing of the node', async () => {
  expect(await seen(['--mount', '--pid', '--fork', '--mount-proc'], 'true')).toMatch(/ false$/)
})

test('with mounts that are not passed on, a folder says nothing of the node', async () => {
  const hidden = 'mkdir -p /run/netns && mount -t tmpfs none /run/netns'
  expect(await seen(['--mount', '--propagation', 'private'], hidden)).toMatch(/^false /)
})

test('with mounts that are passed on, it does', async () => {
  const given = 'mkdir -p /run/netns && mount -t tmpfs none /run/netns && mount --make-shared /run/netns'
  expect(await seen(['--mount', '--propagation', 'private'], given)).toMatch(/^true /)
})
