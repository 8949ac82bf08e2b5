import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { type FailedHealthCheck, HealthCheckServers } from '#proxy/agent/servers/health-check-servers.ts'
import type { HealthCheck } from '#proxy/desired/health-checks.ts'
import { type CapturedLog, captureLog } from '../../../support/captured-log.ts'
import { ask, freePort, HAS_IPV6, type HttpReply, occupyPort } from '../../../support/local-ports.ts'
import { ip, name } from '../../../support/objects.ts'

let clock: PaperClock
let heard: CapturedLog
let healthy: boolean
let failures: FailedHealthCheck[]
let servers: HealthCheckServers
let port: number

beforeEach(async () => {
  clock = new PaperClock()
  heard = captureLog()
  healthy = true
  failures = []
  servers = new HealthCheckServers({
    clock,
    log: heard.log,
    nodeName: 'n1',
    healthy: () => healthy,
    failed: failure => failures.push(failure),
  })
  port = await freePort()
})

afterEach(() => servers.close())

function check(service: string, count: number, at = port): HealthCheck {
  return { service: name(service), port: at, count }
}

/** Resolves when every server that is wanted has its port. */
async function open(): Promise<void> {
  await expect.poll(() => servers.wanted - servers.open, { interval: 2 }).toBe(0)
}

async function refused(at: number, host?: string): Promise<void> {
  await expect.poll(() => ask(at, '/', host).catch(() => 'refused'), { interval: 2 }).toBe('refused')
}

function said({ body }: HttpReply): unknown {
  return JSON.parse(body)
}

describe('a health check port', () => {
  test('answers at any path with what this node has, and follows as it changes', async () => {
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    await open()
    const first = await ask(port, '/whatever')
    expect(first.status).toBe(200)
    expect(first.headers.get('x-load-balancing-endpoint-weight')).toBe('2')
    expect(said(first)).toEqual({
      service: { namespace: 'shop', name: 'cart' },
      localEndpoints: 2,
      serviceProxyHealthy: true,
    })
    servers.want('ipv4', [check('shop/cart', 0)], 'all')
    expect(await ask(port, '/')).toMatchObject({ status: 503 })
    expect(heard.lines).toEqual([`"Opening healthcheck" service="shop/cart" port=${port} address="0.0.0.0"`])
  })

  test('says no while the proxy itself does not work', async () => {
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    await open()
    healthy = false
    const answer = await ask(port, '/')
    expect(answer.status).toBe(503)
    expect(said(answer)).toMatchObject({ localEndpoints: 2, serviceProxyHealthy: false })
  })

  test('closes when its Service goes, and opens again when it comes back', async () => {
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    await open()
    servers.want('ipv4', [], 'all')
    await refused(port)
    expect(heard.lines.at(-1)).toBe(`"Closing healthcheck" service="shop/cart" port=${port} address="0.0.0.0"`)
    servers.want('ipv4', [check('shop/cart', 1)], 'all')
    servers.want('ipv4', [], 'all')
    servers.want('ipv4', [check('shop/cart', 1)], 'all')
    await open()
    expect((await ask(port, '/')).status).toBe(200)
    expect(failures).toEqual([])
  })

  test('that changes hands answers for its new Service without a gap', async () => {
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    await open()
    servers.want('ipv4', [check('shop/basket', 1)], 'all')
    expect(said(await ask(port, '/'))).toMatchObject({ service: { name: 'basket' }, localEndpoints: 1 })
  })

  test('moves with its Service', async () => {
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    await open()
    const other = await freePort()
    servers.want('ipv4', [check('shop/cart', 2, other)], 'all')
    await open()
    expect((await ask(other, '/')).status).toBe(200)
    await refused(port)
  })

  test.runIf(HAS_IPV6)('counts in each family what that family has', async () => {
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    servers.want('ipv6', [check('shop/cart', 0)], 'all')
    await open()
    expect((await ask(port, '/')).status).toBe(200)
    expect((await ask(port, '/', '[::1]')).status).toBe(503)
    servers.want('ipv6', [], 'all')
    await refused(port, '[::1]')
    expect((await ask(port, '/')).status).toBe(200)
  })

  test('is open on the node port addresses and nowhere else, and follows them', async () => {
    servers.want('ipv4', [check('shop/cart', 2)], [ip('127.0.0.1')])
    await open()
    expect((await ask(port, '/')).status).toBe(200)
    await refused(port, '127.0.0.2')
    servers.want('ipv4', [check('shop/cart', 2)], [ip('127.0.0.2'), ip('127.0.0.3')])
    await open()
    expect((await ask(port, '/', '127.0.0.2')).status).toBe(200)
    expect((await ask(port, '/', '127.0.0.3')).status).toBe(200)
    await refused(port)
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    await open()
    expect((await ask(port, '/')).status).toBe(200)
    expect(failures).toEqual([])
    servers.want('ipv4', [check('shop/cart', 2)], [])
    await refused(port)
    expect(servers.wanted).toBe(0)
  })

  test('that another process has is reported once, and opened as soon as it is free', async () => {
    const occupied = await occupyPort({ port, host: '0.0.0.0' })
    servers.want('ipv4', [check('shop/cart', 2)], 'all')
    await expect.poll(() => failures).toHaveLength(1)
    expect(failures[0]).toEqual({
      service: 'shop/cart',
      port,
      reason: expect.stringContaining(`EADDRINUSE: address already in use 0.0.0.0:${port}`),
    })
    expect(heard.lines.at(-1)).toMatch(
      /^"Failed to start healthcheck" err="listen EADDRINUSE.*" node="n1" service="shop\/cart"/,
    )
    for (let i = 0; i < 3; i++) {
      await expect.poll(() => clock.sleepers).toBe(1)
      await clock.advance(5000)
    }
    expect(failures).toHaveLength(1)
    expect([servers.wanted, servers.open]).toEqual([1, 0])
    await occupied.release()
    // A program that another thread is just starting has the port a moment longer.
    const afterAnotherTry = async (): Promise<number> => {
      await clock.advance(5000)
      return servers.open
    }
    await expect.poll(afterAnotherTry).toBe(1)
    expect((await ask(port, '/')).status).toBe(200)
  })

  test('that two Services claim belongs to the first by name', async () => {
    servers.want('ipv4', [check('shop/a', 1), check('shop/b', 2)], 'all')
    await open()
    expect(said(await ask(port, '/'))).toMatchObject({ service: { name: 'a' } })
  })
})

test('in the end every port is free, and none is opened any more', async () => {
  const taken = await freePort()
  const occupied = await occupyPort({ port: taken, host: '0.0.0.0' })
  servers.want('ipv4', [check('shop/cart', 2), check('shop/late', 2, taken)], 'all')
  await expect.poll(() => servers.open).toBe(1)
  await servers.close()
  servers.want('ipv4', [check('shop/cart', 2)], 'all')
  await refused(port)
  expect([servers.wanted, clock.sleepers]).toEqual([0, 0])
  await occupied.release()
})
