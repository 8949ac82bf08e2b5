import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PluginAnswer } from '#cni/answer.ts'
import { askDaemon } from '#cni/daemon/client.ts'
import { type Daemon, openDaemon } from '#cni/daemon/daemon.ts'
import type { CallSummary } from '#cni/daemon/summary.ts'
import type { PluginCall } from '#cni/protocol/decode.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { type CapturedLog, captureLog } from '../../support/captured-log.ts'

// The daemon on a real socket in a folder of its own, asked as `cni install` asks it.

const DONE: PluginAnswer = { code: 0, stdout: '', stderr: '' }
const CALL: PluginCall = {
  plugin: 'bridge',
  env: { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_ARGS: 'K8S_POD_NAME=web' },
  stdin: '{"name":"pods"}',
}

let folder: string
let socket: string
let clock: PaperClock
let captured: CapturedLog
let answers: (call: PluginCall) => Promise<PluginAnswer>
let seen: CallSummary[]
let daemon: Daemon

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'daemon-'))
  socket = join(folder, 'cni.sock')
  clock = new PaperClock()
  captured = captureLog()
  answers = async () => DONE
  seen = []
  daemon = await open()
})
afterEach(async () => {
  await daemon.stop()
  rmSync(folder, { recursive: true })
})

function open(): Promise<Daemon> {
  return openDaemon({
    ...{ socket, clock, log: captured.log, answer: call => answers(call) },
    observed: summary => void seen.push(summary),
  })
}

const ask = (env: object = {}) => askDaemon(socket, { ...CALL, env: { ...CALL.env, ...env } })
const lines = () => captured.lines

describe('a call', () => {
  test('is answered, and is a line with whose it was and what came out', async () => {
    const stdout = '{"ips":[{"address":"10.9.0.2/29"}]}'
    answers = async () => ({ ...DONE, stdout })
    expect(await ask()).toMatchObject({ code: 0, stdout })
    await expect.poll(() => lines()).toHaveLength(1)
    expect(lines()).toEqual([
      '"CNI call answered" command="ADD" plugin="bridge" network="pods" container="c1" ifname="eth0" pod="web" ips=["10.9.0.2/29"] tookMs=0 waitedMs=0',
    ])
    expect(seen).toMatchObject([{ command: 'ADD', pod: 'web' }])
  })

  test('that failed is an error with the words of the plugin', async () => {
    const stdout = JSON.stringify({ code: 11, msg: 'no address is free', details: 'in 10.9.0.0/29' })
    answers = async () => ({ code: 1, stdout, stderr: '' })
    expect(await ask()).toMatchObject({ code: 1, stdout })
    await expect.poll(() => lines()).toHaveLength(1)
    expect(lines()[0]).toMatch(
      /^"CNI call failed" err="no address is free" .*code=11 details="in 10.9.0.0\/29" status=1$/,
    )
  })

  test('that changes nothing is a line only for those who look closely', async () => {
    captured = captureLog(3)
    await daemon.stop()
    daemon = await open()
    await ask({ CNI_COMMAND: 'STATUS', CNI_CONTAINERID: '' })
    await ask({ CNI_COMMAND: 'DEL' })
    await expect.poll(() => seen).toHaveLength(2)
    expect(lines()).toEqual([expect.stringContaining('command="DEL"')])
  })

  test('counts while it is worked on', async () => {
    const { promise, resolve } = Promise.withResolvers<PluginAnswer>()
    answers = () => promise
    const asking = ask()
    await expect.poll(() => daemon.underWay()).toBe(1)
    expect(daemon.talking()).toBe(1)
    resolve(DONE)
    await asking
    await expect.poll(() => [daemon.underWay(), daemon.talking()]).toEqual([0, 0])
  })

  test('has its turn between other work of its container', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const order: string[] = []
    answers = async () => {
      order.push('call')
      return DONE
    }
    const first = daemon.inTurn('c1', async () => {
      await promise
      order.push('other work')
    })
    const asking = ask()
    await expect.poll(() => daemon.underWay()).toBe(1)
    resolve()
    await Promise.all([first, asking])
    expect(order).toEqual(['other work', 'call'])
  })
})

describe('a socket', () => {
  test('serves one daemon: a second one says where the first is', async () => {
    await expect(open()).rejects.toThrow(`another daemon of this node serves at ${socket}`)
    expect(await ask()).toMatchObject({ code: 0 })
  })

  test('that was removed is there again within seconds, and it is said', async () => {
    const stop = new AbortController()
    const kept = daemon.keepReachable(stop.signal)
    await clock.advance(5000)
    // It has looked, and begun to wait again.
    await expect.poll(() => clock.sleepers).toBe(1)
    rmSync(socket)
    await clock.advance(4000)
    expect([await ask(), lines()]).toEqual([undefined, []])
    await clock.advance(1000)
    await expect.poll(() => lines()).toEqual([`"Socket was removed, and is there again" socket="${socket}"`])
    expect(await ask()).toMatchObject({ code: 0 })
    stop.abort()
    await clock.advance(5000)
    await kept
  })

  test('that was removed is not made anew by a daemon that is asked to stop meanwhile', async () => {
    const stop = new AbortController()
    const kept = daemon.keepReachable(stop.signal)
    rmSync(socket)
    const looking = clock.advance(5000)
    // It has looked for the socket by then, and not heard yet that there is none.
    await setImmediate()
    await daemon.stop()
    stop.abort()
    await Promise.all([looking, kept])
    expect([existsSync(socket), await ask()]).toEqual([false, undefined])
    daemon = await open()
  })

  test('that another daemon has by then is given up', async () => {
    const kept = daemon.keepReachable(new AbortController().signal)
    kept.catch(() => {})
    rmSync(socket)
    const other = await open()
    await clock.advance(5000)
    await expect(kept).rejects.toThrow('another daemon of this node serves at')
    expect(await ask()).toMatchObject({ code: 0 })
    await other.stop()
  })
})

describe('a daemon that stops', () => {
  test('answers what it has begun, begins nothing more, and leaves no socket', async () => {
    const { promise, resolve } = Promise.withResolvers<PluginAnswer>()
    answers = () => promise
    const asking = ask()
    await expect.poll(() => daemon.underWay()).toBe(1)
    let isStopped = false
    const stopping = daemon.stop().then(() => {
      isStopped = true
    })
    await expect.poll(() => existsSync(socket)).toBe(false)
    expect([isStopped, await ask()]).toEqual([false, undefined])
    resolve({ ...DONE, stdout: '{}' })
    expect(await asking).toMatchObject({ code: 0, stdout: '{}' })
    await stopping
    daemon = await open()
  })
})
