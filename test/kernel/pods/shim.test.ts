import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PluginAnswer } from '#cni/answer.ts'
import { type Daemon, openDaemon } from '#cni/daemon/daemon.ts'
import { answerBytes, callBytes } from '#cni/daemon/frames.ts'
import type { PluginCall } from '#cni/protocol/decode.ts'
import { systemClock } from '#system/clock.ts'
import { askLocal } from '#system/local-socket.ts'
import type { Clock } from '#system/ports.ts'
import { openLog } from '#telemetry/log/klog.ts'
import { callShim, cannotCompile, compileShim, type Patience, startShim } from './shim.ts'

// The helper as a runtime starts it, with a daemon behind its socket, with none, and with one that dies or hangs.

const why = cannotCompile()

describe.skipIf(why !== undefined)(`the helper${why ? ` (skipped: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'shim-'))
  const socket = join(folder, 'cni.sock')
  /** It waits longer than a machine can be busy. */
  let shim: string
  /** It waits no longer for a daemon to begin than a test has to; and this one, for a dot. */
  let hasty: string
  let curt: string
  const lines: string[] = []
  const log = openLog({
    format: 'text',
    verbosity: 4,
    vmodule: [],
    clock: systemClock,
    pid: 1,
    sink: { write: line => lines.push(line) },
  })
  const open: { stop(): Promise<unknown> }[] = []

  beforeAll(() => {
    const compiled = (place: string, patience: Partial<Patience>): string =>
      compileShim(place, 'bridge', socket, { READY_WITHIN: 60, SILENT_FOR: 60, ...patience })
    shim = compiled(folder, {})
    hasty = compiled(join(folder, 'hasty'), { READY_WITHIN: 1 })
    curt = compiled(join(folder, 'curt'), { SILENT_FOR: 3 })
  })
  beforeEach(() => lines.splice(0))
  afterEach(async () => {
    for (const one of open.splice(0)) await one.stop()
    for (const place of [folder, dirname(hasty), dirname(curt)])
      rmSync(join(place, '.switchyard'), { recursive: true, force: true })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  async function daemon(
    answer: (call: PluginCall) => Promise<PluginAnswer>,
    clock: Clock = systemClock,
  ): Promise<Daemon> {
    const opened = await openDaemon({ socket, answer, clock, log, observed: () => {} })
    open.push(opened)
    return opened
  }

  /** A server that is no daemon: what it does with a connection, a test says. */
  async function pretender(onConnection: (socket: Socket) => void): Promise<void> {
    const connections: Socket[] = []
    const server = createServer(connection => {
      connections.push(connection)
      connection.on('error', () => {})
      onConnection(connection)
    })
    await new Promise<void>(resolve => server.listen(socket, resolve))
    open.push({
      stop: () => {
        for (const connection of connections) connection.destroy()
        return new Promise(resolve => server.close(resolve))
      },
    })
  }

  /** What stands beside the helper instead of Node.js: it prints its words, its environment and its stdin. */
  function installFallback(place = folder): void {
    mkdirSync(join(place, '.switchyard'))
    const node = join(place, '.switchyard/node')
    writeFileSync(node, '#!/bin/sh\necho "$@"\necho "$CNI_COMMAND $CNI_IFNAME"\ncat\nexit 3\n')
    chmodSync(node, 0o755)
  }
  const fallbackWords = (again = '', place = folder): string =>
    `--disable-warning=ExperimentalWarning ${place}/.switchyard/cni.js --plugin=bridge${again}\nADD eth0\n{"a":1}`
  const ADD = { env: { CNI_COMMAND: 'ADD', CNI_IFNAME: 'eth0', CNI_CONTAINERID: 'c1' }, stdin: '{"a":1}' }

  test('hands over its name, CNI_* and stdin, and copies both texts and the status', async () => {
    const calls: PluginCall[] = []
    await daemon(call => {
      calls.push(call)
      return Promise.resolve({ code: 7, stdout: '{"ü":1}', stderr: 'words\n' })
    })
    const outcome = await callShim(shim, { ...ADD, env: { ...ADD.env, HOME: '/root', CNI_ARGS: '' } })
    expect(outcome).toEqual({ code: 7, stdout: '{"ü":1}', stderr: 'words\n' })
    expect(calls).toEqual([{ plugin: 'bridge', env: { ...ADD.env, CNI_ARGS: '' }, stdin: '{"a":1}' }])
  })

  test('goes by the name it was called with', async () => {
    await daemon(({ plugin }) => Promise.resolve({ code: 0, stdout: plugin, stderr: '' }))
    symlinkSync('bridge', join(folder, 'host-local'))
    expect((await callShim(join(folder, 'host-local'), ADD)).stdout).toBe('host-local')
  })

  test('carries a configuration of megabytes and an answer of megabytes', async () => {
    await daemon(({ stdin }) => Promise.resolve({ code: 0, stdout: stdin, stderr: stdin.slice(0, 1e6) }))
    const stdin = JSON.stringify('é'.repeat(2e6))
    const { code, stdout, stderr } = await callShim(shim, { ...ADD, stdin })
    expect([code, stdout === stdin, stderr.length]).toEqual([0, true, 1e6])
  })

  test('says what it is where no runtime calls it, and touches nothing', async () => {
    installFallback()
    expect(await callShim(shim)).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^bridge: a CNI plugin of Switchyard\. .*CNI_COMMAND/),
    })
  })

  test('without daemon and program answers with code 11, and with 50 to STATUS', async () => {
    const { code, stdout } = await callShim(shim, ADD)
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      {
        code: 11,
        msg: 'switchyard: no daemon answers, and no program to work without it is installed',
        details: `the daemon of this node listens at ${socket}: is the pod that runs 'switchyard pods' up?`,
      },
    ])
    const status = await callShim(shim, { env: { CNI_COMMAND: 'STATUS' } })
    expect(JSON.parse(status.stdout)).toMatchObject({ code: 50 })
  })

  test('without daemon starts the program beside it with the same environment and stdin', async () => {
    installFallback()
    expect(await callShim(shim, ADD)).toEqual({ code: 3, stdout: fallbackWords(), stderr: '' })
    writeFileSync(socket, 'left over')
    expect((await callShim(shim, ADD)).stdout).toBe(fallbackWords())
    rmSync(socket)
  })

  test('finds that program by its own folder, also through a link from elsewhere', async () => {
    installFallback()
    const elsewhere = join(folder, 'elsewhere')
    mkdirSync(elsewhere)
    symlinkSync(shim, join(elsewhere, 'bridge'))
    expect((await callShim(join(elsewhere, 'bridge'), ADD)).stdout).toBe(fallbackWords())
  })

  test('takes a daemon that dies before it was ready for none', async () => {
    installFallback()
    await pretender(connection => connection.destroy())
    expect((await callShim(shim, ADD)).stdout).toBe(fallbackWords())
  })

  test.each([
    ['before its answer', ''],
    ['in the middle of its answer', '.=\0\0\0\0\0\0\0\x05\0\0\0\0{"i'],
    ['in the lengths of its answer', '=\0\0'],
  ])('has what a daemon began taken back and done again, where that dies %s', async (_, answer) => {
    installFallback()
    await pretender(connection => {
      connection.once('data', () => connection.end(Buffer.from(`r${answer}`, 'latin1')))
    })
    expect((await callShim(shim, ADD)).stdout).toBe(fallbackWords(' --again'))
  })

  test('does the work itself where a daemon is not ready in time; that begins nothing when it wakes up', async () => {
    const place = dirname(hasty)
    installFallback(place)
    const heard: Buffer[] = []
    let wake = (): unknown => undefined
    const refused = new Promise<NodeJS.ErrnoException | null | undefined>(resolve => {
      void pretender(connection => {
        wake = () => {
          connection.on('data', (bytes: Buffer) => heard.push(bytes)).resume()
          connection.write('r', resolve)
        }
        connection.pause()
      })
    })
    await expect.poll(() => existsSync(socket)).toBe(true)
    expect((await callShim(hasty, ADD)).stdout).toBe(fallbackWords('', place))
    wake()
    // The call is still there to be read; the word that would begin it goes nowhere.
    const call = callBytes({ plugin: 'bridge', env: ADD.env, stdin: ADD.stdin })
    await expect.poll(() => Buffer.concat(heard)).toEqual(call)
    expect((await refused)?.code).toBe('EPIPE')
  })

  test('waits as long as dots come', async () => {
    await pretender(async connection => {
      connection.write('r')
      for (let dots = 0; dots < 9; dots++) {
        await systemClock.sleep(500)
        connection.write('.')
      }
      connection.end(answerBytes({ code: 0, stdout: 'late', stderr: '' }))
    })
    expect((await callShim(curt, ADD)).stdout).toBe('late')
  })

  test('gets a dot every second from a daemon that works', async () => {
    const heard = Promise.withResolvers<void>()
    await daemon(() => heard.promise.then(() => ({ code: 0, stdout: '', stderr: '' })))
    let text = ''
    await askLocal(socket, connection => {
      connection.onBytes(bytes => {
        text += bytes.toString('latin1')
        if (text.length > 2) heard.resolve()
      })
      void connection.write(callBytes({ plugin: 'bridge', env: ADD.env, stdin: ADD.stdin }))
    })
    expect(text).toMatch(/^r\.\.+=/)
  })

  test('does nothing twice where a daemon hangs in the middle of its work', async () => {
    installFallback(dirname(curt))
    await pretender(connection => {
      connection.once('data', () => connection.write('r'))
    })
    const { code, stdout } = await callShim(curt, ADD)
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { code: 11, msg: expect.stringContaining('does not go on') }])
  })

  test('that is killed while its ADD is made has it taken back', async () => {
    const commands: string[] = []
    const made = Promise.withResolvers<void>()
    await daemon(async ({ env }) => {
      commands.push(env.CNI_COMMAND!)
      if (env.CNI_COMMAND === 'ADD') await made.promise
      return { code: 0, stdout: '{}', stderr: '' }
    })
    const { kill, ended } = startShim(shim, ADD)
    await expect.poll(() => commands).toEqual(['ADD'])
    kill()
    await ended
    await systemClock.sleep(50)
    made.resolve()
    await expect.poll(() => commands).toEqual(['ADD', 'DEL'])
    await expect.poll(() => lines.join('')).toMatch(/^W.*caller has gone was taken back.*command="ADD".*container="c1"/)
  })

  test('is answered by a daemon that is asked to stop meanwhile; later calls go past it', async () => {
    installFallback()
    const stopping = Promise.withResolvers<void>()
    const running = await daemon(async () => {
      await stopping.promise
      return { code: 0, stdout: 'x'.repeat(1e6), stderr: '' }
    })
    const call = startShim(shim, ADD)
    await expect.poll(() => running.underWay()).toBe(1)
    const stopped = running.stop()
    await expect.poll(() => existsSync(socket)).toBe(false)
    expect((await callShim(shim, ADD)).stdout).toBe(fallbackWords())
    stopping.resolve()
    await stopped
    expect((await call.ended).stdout).toHaveLength(1e6)
  })

  test('reaches a socket for root alone, which a second daemon does not take and a third finds left behind', async () => {
    const answer = (): Promise<PluginAnswer> => Promise.resolve({ code: 0, stdout: 'first', stderr: '' })
    await daemon(answer)
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    await expect(daemon(answer)).rejects.toThrow(`another daemon of this node serves at ${socket}`)
    expect((await callShim(shim, ADD)).stdout).toBe('first')
    await open.pop()!.stop()
    writeFileSync(socket, '')
    await daemon(answer)
    expect((await callShim(shim, ADD)).stdout).toBe('first')
  })

  test('finds the socket again after its folder was emptied', async () => {
    const hurried: Clock = { now: systemClock.now, sleep: (ms, signal) => systemClock.sleep(ms / 50, signal) }
    const running = await daemon(() => Promise.resolve({ code: 0, stdout: 'first', stderr: '' }), hurried)
    const stop = new AbortController()
    const keeping = running.keepReachable(stop.signal)
    rmSync(socket)
    await expect.poll(() => existsSync(socket)).toBe(true)
    expect((await callShim(shim, ADD)).stdout).toBe('first')
    expect(lines.join('')).toMatch(/^W.*"Socket was removed, and is there again"/m)
    stop.abort()
    await keeping
  })
})
