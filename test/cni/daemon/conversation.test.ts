import { describe, expect, test } from 'vitest'
import { converse } from '#cni/daemon/conversation.ts'
import { answerBytes, callBytes } from '#cni/daemon/frames.ts'
import { Pulse } from '#cni/daemon/pulse.ts'
import type { WorkDone } from '#cni/daemon/work.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { LocalConnection } from '#system/local-socket.ts'

// One connection, word by word, with a helper of paper at the other end.

const CALL = { plugin: 'bridge', env: { CNI_COMMAND: 'ADD' }, stdin: '{}' }
const OUTPUT = { code: 0, stdout: '{"ips":[]}', stderr: '' }

class PaperConnection implements LocalConnection {
  /** What came to the helper. */
  received = ''
  isClosed = false
  /** Whether it reads on. */
  isDeaf = false
  #closed: () => void = () => {}
  #listener: (bytes: Buffer) => void = () => {}

  onBytes(listener: (bytes: Buffer) => void): void {
    this.#listener = listener
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.isClosed || this.isDeaf) return false
    this.received += Buffer.from(bytes).toString('latin1')
    return true
  }

  async end(bytes?: Uint8Array): Promise<void> {
    if (bytes !== undefined) await this.write(bytes)
    this.close()
  }

  /** The helper says this. */
  say(bytes: Buffer): void {
    this.#listener(bytes)
  }

  close(): void {
    this.isClosed = true
    this.#closed()
  }

  onClosed(listener: () => void): void {
    this.#closed = listener
  }
}

function rig({ isOpen = true, takesMs = 0 } = {}) {
  const connection = new PaperConnection()
  const clock = new PaperClock()
  const log: string[] = []
  const talk = converse(connection, {
    pulse: new Pulse(clock),
    mayBegin: () => isOpen,
    refused: problem => log.push(problem),
    done: ({ call }) => log.push(`done ${call.env.CNI_COMMAND}, after ${connection.received.length} bytes`),
    async work(call): Promise<WorkDone> {
      log.push('begun')
      await clock.sleep(takesMs)
      return { call, output: OUTPUT, tookMs: takesMs, waitedMs: 0, abandoned: 'no' }
    },
  })
  return { connection, clock, log, talk }
}

describe('a conversation', () => {
  test('is a call, ready, and the answer; what was done is reported behind that', async () => {
    const { connection, clock, log, talk } = rig()
    connection.say(callBytes(CALL))
    await clock.advance(0)
    await talk
    const answer = `r${answerBytes(OUTPUT).toString('latin1')}`
    expect([connection.received, log]).toEqual([answer, ['begun', `done ADD, after ${answer.length} bytes`]])
  })

  test('may come byte by byte', async () => {
    const { connection, clock, talk } = rig()
    for (const byte of callBytes(CALL)) connection.say(Buffer.from([byte]))
    await clock.advance(0)
    await talk
    expect(connection.received).toContain(OUTPUT.stdout)
  })

  test('has a dot every second while the work goes on', async () => {
    const { connection, clock, talk } = rig({ takesMs: 3500 })
    connection.say(callBytes(CALL))
    await clock.advance(3400)
    expect(connection.received).toBe('r...')
    await clock.advance(200)
    await talk
    expect(connection.received).toMatch(/^r\.\.\.=/)
  })

  test('ends where a call does not come, or not all of it', async () => {
    const { connection, clock, log, talk } = rig()
    connection.say(callBytes(CALL).subarray(0, -1))
    await clock.advance(20_000)
    await talk
    expect([connection.received, connection.isClosed, log]).toEqual(['', true, ['a helper that did not send its call']])
  })

  test('whose helper takes no word any more, because it does the work itself, begins nothing', async () => {
    const { connection, log, talk } = rig()
    connection.isDeaf = true
    connection.say(callBytes(CALL))
    await talk
    expect([connection.received, connection.isClosed, log]).toEqual(['', true, []])
  })

  test('that makes no sense is refused', async () => {
    const { connection, log, talk } = rig()
    connection.say(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    await talk
    expect([connection.received, log]).toEqual(['', [expect.stringMatching(/^a call of \d+ bytes; at most/)]])
  })

  test('whose helper goes before its call is whole is nothing to report', async () => {
    const { connection, log, talk } = rig()
    connection.say(callBytes(CALL).subarray(0, -1))
    connection.close()
    await talk
    expect(log).toEqual([])
  })

  test('is closed where the daemon is about to stop, so that the helper does the work', async () => {
    const { connection, log, talk } = rig({ isOpen: false })
    connection.say(callBytes(CALL))
    await talk
    expect([connection.received, connection.isClosed, log]).toEqual(['', true, []])
  })
})
