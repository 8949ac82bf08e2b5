import { get } from 'node:http'
import { connect } from 'node:net'
import { systemClock } from '#system/clock.ts'
import { PROBE } from '../../cluster.ts'
import { dayTime } from '../day-time.ts'

// Questions asked from the node until the answer is the one that is waited for.

export interface Reached {
  /** When the first answer of the wanted endpoint was there. */
  readonly at: number
  /** When the last connection was opened that another endpoint answered. */
  readonly lastOther: number | undefined
}

const EVERY_MS = 2
/** Shorter than the kernel's first retransmission: an attempt that came too early does not count when it is repeated. */
const ATTEMPT_MS = 500
const HEALTH_EVERY_MS = 5

/**
 * Opens a connection every 2 ms, whether or not the last was answered. Undefined where the wanted endpoint does not answer in
 * time. Goes on for some time after its first answer, where it is asked who else still answers.
 */
export async function reached(name: string, giveUpMs: number, goOnMs = 0): Promise<Reached | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let [at, lastOther]: [number | undefined, number | undefined] = [undefined, undefined]
  const hear = (answered: string, openedAt: number): void => {
    if (answered !== name) lastOther = Math.max(lastOther ?? 0, openedAt)
    else if (at === undefined) {
      at = dayTime()
      setTimeout(resolve, goOnMs)
    }
  }
  const opening = setInterval(() => attempt(hear), EVERY_MS)
  const late = setTimeout(resolve, giveUpMs)
  await promise
  clearInterval(opening)
  clearTimeout(late)
  return at === undefined ? undefined : { at, lastOther }
}

/** When the agent's health check says yes for the first time. */
export async function healthyAt(giveUpMs: number): Promise<number | undefined> {
  const end = dayTime() + giveUpMs
  while (dayTime() < end) {
    if ((await healthStatus()) === 200) return dayTime()
    await systemClock.sleep(HEALTH_EVERY_MS)
  }
  return undefined
}

function healthStatus(): Promise<number | undefined> {
  return new Promise(resolve => {
    const request = get('http://127.0.0.1:10256/healthz', { agent: false }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', () => resolve(undefined))
  })
}

/** Hears which endpoint answers at the probe's cluster IP, if one does. */
function attempt(hear: (answered: string, openedAt: number) => void): void {
  const openedAt = dayTime()
  const socket = connect({ host: PROBE.ip, port: PROBE.port })
  const late = setTimeout(() => socket.resetAndDestroy(), ATTEMPT_MS)
  let heard = ''
  socket.on('connect', () => socket.write('who\n'))
  socket.on('data', piece => {
    heard += String(piece)
    if (!heard.includes('\n')) return
    hear((JSON.parse(heard) as { name: string }).name, openedAt)
    socket.resetAndDestroy()
  })
  socket.on('error', () => {})
  socket.on('close', () => clearTimeout(late))
}
