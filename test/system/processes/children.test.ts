import { expect, test, vi } from 'vitest'
import { type Child, isAlive, startChild } from '#system/processes/children.ts'

/** A child of Node's own, its lines, and a way to wait for the next one. */
function startScript(script: string) {
  const lines: string[] = []
  let wake = () => {}
  const child = startChild({
    argv: [process.execPath, '-e', script],
    onLine: line => {
      lines.push(line)
      wake()
    },
  })
  const line = async () => {
    while (lines.length === 0) await new Promise<void>(resolve => (wake = resolve))
    return lines.shift()!
  }
  return { child, line }
}

test('lines go in and lines come out, however the bytes are cut', async () => {
  const { child, line } = startScript(`process.stdin.setEncoding('utf8').on('data', text => {
    const [first, ...rest] = Buffer.from('heard ' + text)
    process.stdout.write(Buffer.from([first]))
    setTimeout(() => process.stdout.write(Buffer.from(rest)), 5)
  })`)
  child.writeLine('äöü')
  expect(await line()).toBe('heard äöü')
  await child.stop()
})

test('a child that ends by itself reports its exit status and its last words', async () => {
  const { child } = startScript(`console.error('no more tracks'); process.exit(3)`)
  expect(await child.ended).toEqual({ code: 3, stderr: 'no more tracks\n' })
})

test('a program that is not there is an ending with 127, not an exception', async () => {
  const child = startChild({ argv: ['/nonexistent/switch'], onLine: () => {} })
  child.writeLine('lost')
  expect(child.pid).toBeUndefined()
  expect(await child.ended).toMatchObject({ code: 127, stderr: expect.stringContaining('ENOENT') })
  expect(await child.stop()).toMatchObject({ code: 127 })
})

test('a child that has ended is sent no signal: its number may be that of another program', async () => {
  const { child } = startScript('')
  const end = await child.ended
  const kill = vi.spyOn(process, 'kill')
  expect(await child.stop()).toEqual(end)
  expect(kill).not.toHaveBeenCalled()
  kill.mockRestore()
})

test('stopping ends what the child has started, too', async () => {
  const { child, line } = startScript(`
    const { spawn } = require('node:child_process')
    console.log(spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).pid)
    setInterval(() => {}, 1000)`)
  const grandchild = Number(await line())
  expect(isAlive(grandchild)).toBe(true)
  await child.stop()
  await gone(grandchild)
})

test('what a child leaves behind when it ends by itself is ended with it', async () => {
  const { child, line } = startScript(`
    const { spawn } = require('node:child_process')
    console.log(spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).pid)
    process.stdin.once('data', () => process.exit(0))`)
  const grandchild = Number(await line())
  child.writeLine('go')
  expect(await child.ended).toMatchObject({ code: 0 })
  await gone(grandchild)
})

test('a child that does not heed SIGTERM is killed after the grace time', async () => {
  const { child, line } = startScript(
    `process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)`,
  )
  expect(await line()).toBe('deaf')
  expect(await child.stop(50)).toMatchObject({ code: 137 })
})

test('children end with the process that started them, even where that process just exits', async () => {
  const children = new URL('../../../src/system/processes/children.ts', import.meta.url).href
  const { child, line } = startScript(`
    import(${JSON.stringify(children)}).then(({ startChild }) => {
      const deaf = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)"
      const child = startChild({ argv: [process.execPath, '-e', deaf], onLine: () => {
        console.log(child.pid)
        process.exit(0)
      } })
    })`)
  const grandchild = Number(await line())
  await child.ended
  await gone(grandchild)
})

test('a number that no process has is not alive', () => {
  expect(isAlive(process.pid)).toBe(true)
  expect(isAlive(2 ** 22 + 1)).toBe(false)
})

/** The kernel may take a moment to bury a process whose parent is gone. */
async function gone(pid: Child['pid']): Promise<void> {
  await expect.poll(() => isAlive(pid!), { interval: 10 }).toBe(false)
}
