import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { SEED_NODE, SEED_OBJECTS } from '#lab/network/seed.ts'
import { Program } from '../effects/program.ts'
import { ask, freePort } from '../support/local-ports.ts'

// Signals to the whole program, on a machine of scripts.

let program: Program
let server: ApiServer
let healthz: number

beforeEach(async () => {
  program = new Program()
  server = await startApiServer()
  for (const object of SEED_OBJECTS) server.store.put(object)
  healthz = await freePort()
})

afterEach(async () => {
  await server.close()
  program.remove()
})

function start(...flags: readonly string[]) {
  const at = [`--healthz-bind-address=127.0.0.1:${healthz}`, '--metrics-bind-address=']
  return program.start(`--master=${server.url}`, `--hostname-override=${SEED_NODE}`, ...at, ...flags)
}

const asked = (words: string): number => program.asked.split(words).length - 1
const soon = { timeout: 20_000, interval: 10 }
const healthy = async (): Promise<number> => (await ask(healthz, '/healthz').catch(() => ({ status: 0 }))).status

describe('SIGTERM', { timeout: 60_000 }, () => {
  test('while it is still coming: the command that runs is finished, and it ends well', async () => {
    program.does('iptables-nft-save', `/bin/sleep 0.3\necho done >> '${program.path('asked')}'\n`)
    const { stop, ended } = start()
    await expect.poll(() => asked('iptables-nft-save'), soon).toBe(1)
    stop()
    expect(await ended).toMatchObject({ code: 0 })
    expect([asked('done'), asked('restore')]).toEqual([asked('iptables-nft-save'), 0])
  })

  test('while it writes rules: the write is finished, servers are closed, and it ends well', async () => {
    program.does('iptables-nft-restore', `/bin/sleep 0.5\necho done >> '${program.path('asked')}'\n`)
    const { stop, ended } = start()
    await expect.poll(() => asked('iptables-nft-restore'), soon).toBe(1)
    stop()
    expect(await ended).toMatchObject({ code: 0 })
    expect([asked('done'), await healthy()]).toEqual([1, 0])
  })

  test('while something takes for ever: it ends within five seconds all the same', async () => {
    program.does('iptables-nft-restore', 'exec /bin/sleep 30\n')
    const { stop, ended } = start()
    await expect.poll(() => asked('iptables-nft-restore'), soon).toBe(1)
    const signalled = performance.now()
    stop()
    expect(await ended).toMatchObject({ code: 0 })
    expect(performance.now() - signalled).toBeLessThan(5000)
  })
})

test('SIGHUP: the kernel is looked at afresh', { timeout: 60_000 }, async () => {
  const { pid, stop, ended } = start('--iptables-sync-period=1h')
  await expect.poll(healthy, soon).toBe(200)
  const looks = asked('iptables-nft-save  <')
  process.kill(pid, 'SIGHUP')
  await expect.poll(() => asked('iptables-nft-save  <'), soon).toBeGreaterThan(looks)
  stop()
  expect(await ended).toMatchObject({ code: 0 })
})
