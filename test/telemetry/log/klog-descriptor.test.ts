import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'

const KLOG = new URL('../../../src/telemetry/log/klog.ts', import.meta.url)

/** A process that logs, then says on standard output that it is still there. */
function logger(stdio: StdioOptions, after = ''): ChildProcess {
  const program = `
    const { openLog } = await import(${JSON.stringify(KLOG.href)})
    const log = openLog({ format: process.argv[1], verbosity: 0, clock: Date, pid: process.pid })
    process.stdin.on('data', () => {
      for (let i = 0; i < 1000; i++) log.at('x.ts:1').info(0, 'line', { i })
      log.flush()
      ${after}
      process.stdout.write('still here')
      process.exit(0)
    })
    process.stdout.write('ready.')
  `
  return spawn(process.execPath, ['--input-type=module', '-e', program, 'text'], { stdio })
}

describe('a real descriptor', () => {
  test('has every line that was said before the process was killed', async () => {
    const child = logger(['pipe', 'ignore', 'pipe'], "process.kill(process.pid, 'SIGKILL')")
    child.stdin!.write('go')
    const lines = (await text(child.stderr!)).trimEnd().split('\n')
    expect(lines).toHaveLength(1000)
    expect(lines.at(-1)).toMatch(/x\.ts:1\] "line" i=999$/)
  })

  test('whose reader is gone does not end the process', async () => {
    const child = logger(['pipe', 'pipe', 'pipe'])
    child.stdout!.once('data', () => {
      child.stderr!.destroy()
      child.stdin!.write('go')
    })
    expect(await text(child.stdout!)).toBe('ready.still here')
  })

  test('on a full disk does not end the process', async () => {
    const full = openSync('/dev/full', 'w')
    const child = logger(['pipe', 'pipe', full])
    closeSync(full)
    child.stdin!.write('go')
    expect(await text(child.stdout!)).toBe('ready.still here')
  })
})
