import { createSocket } from 'node:dgram'
import { expect } from 'vitest'
import { listListeners, openListeners, openListenersOf } from '#dialects/relay.ts'
import { dataPlane } from '#proxy/agent/data-plane.ts'
import type { Kernel } from '#system/ports.ts'
import { settings } from '../config/parsing.ts'
import { captureLog } from '../support/captured-log.ts'
import { freePort } from '../support/local-ports.ts'
import type { Effects } from './effect.ts'
import { ObedientKernel } from './obedient-kernel.ts'

// Settings of userspace mode: the relay behind them on real sockets of this machine.

export const RELAY: Effects = {
  'proxy-port-range': async () => {
    const first = await freePort()
    const relay = await open(`--proxy-port-range=${first}-${first}`)
    expect(await relay.portOf('tcp shop/cart')).toBe(first)
    relay.close()
  },
  'udp-timeout': async () => {
    // Beside a relay that forgets its clients soon, one that remembers them: after the same silence, only the first takes
    // who comes back for a new client.
    const soon = await askTwice('--udp-timeout=100ms')
    const later = await askTwice('--udp-timeout=1h')
    await expect.poll(soon.sameClient, { interval: 400, timeout: 10_000 }).toBe(false)
    expect(await later.sameClient()).toBe(true)
    soon.close()
    later.close()
  },
}

async function open(...flags: readonly string[]) {
  const stop = new AbortController()
  const parts = { settings: await settings('--proxy-mode=userspace', ...flags), log: captureLog().log, lost: () => {} }
  const kernel: Kernel = dataPlane({ ...parts, kernel: new ObedientKernel(), signal: stop.signal })
  const portOf = async (name: string, endpoint = '127.0.0.1:9'): Promise<number | undefined> => {
    await kernel.run(openListeners('ipv4', [{ name, pool: `to ${endpoint} at 127.0.0.1` }]))
    return openListenersOf((await kernel.run(listListeners('ipv4'))).stdout)[0]?.port
  }
  return { portOf, close: () => stop.abort() }
}

/** A client of a relay, and an endpoint behind it that sees where its questions come from. */
async function askTwice(flag: string) {
  const relay = await open(flag)
  const endpoint = await udp()
  const client = await udp()
  const port = (await relay.portOf('udp shop/dns', `127.0.0.1:${endpoint.address().port}`))!
  const ask = (): Promise<number> =>
    new Promise(resolve => {
      endpoint.once('message', (_, from) => resolve(from.port))
      client.send('who', port, '127.0.0.1')
    })
  const first = await ask()
  const close = (): void => {
    relay.close()
    endpoint.close()
    client.close()
  }
  return { sameClient: async () => (await ask()) === first, close }
}

async function udp() {
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return socket
}
