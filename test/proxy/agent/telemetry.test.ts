import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { freshStats } from '#kubernetes/stats.ts'
import { anyCommand } from '#lab/any-command.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { Agent } from '#proxy/agent/agent.ts'
import { Telemetry } from '#proxy/agent/telemetry.ts'
import { systemClock } from '#system/clock.ts'
import type { Command } from '#system/ports.ts'
import type { KubeEvent } from '#telemetry/events.ts'
import { captureLog } from '../../support/captured-log.ts'
import { ask, freePort, occupyPort } from '../../support/local-ports.ts'
import { endpoint, node, port, service, slice } from '../../support/objects.ts'

// A whole agent on a kernel of paper, and all that can be seen of it from outside.

class World {
  readonly kernel = new PaperKernel()
  readonly heard = captureLog(2)
  readonly stop = new AbortController()
  readonly #events: Event[] = []
  #wake = () => {}
  healthz!: number
  metrics!: number
  server!: ApiServer
  agent!: Agent
  #ended!: Promise<unknown>

  async start(...flags: readonly string[]): Promise<void> {
    this.server ??= await startApiServer()
    this.healthz = await freePort()
    this.metrics = await freePort()
    const at = [`--healthz-bind-address=127.0.0.1:${this.healthz}`, `--metrics-bind-address=127.0.0.1:${this.metrics}`]
    const more = [
      '--iptables-localhost-nodeports=false',
      '--iptables-min-sync-period=0',
      '--iptables-sync-period=500ms',
    ]
    const parsed = await parseArguments('run', [...at, ...more, ...flags], () => Promise.reject(new Error('no file')))
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
    const { log } = this.heard
    const clock = systemClock
    const credentials = await credentialsFrom({
      master: this.server.url,
      env: {},
      files: { readText: () => Promise.reject(new Error('no file')) },
      kernel: this.kernel,
      clock,
    })
    const about = { nodeName: 'here', hostname: 'here.example.org', credentials, stats: freshStats() }
    const telemetry = new Telemetry({ ...parsed, ...about, log, clock, kernel: this.kernel })
    this.agent = await Agent.open({
      settings: parsed.settings,
      nodeName: 'here',
      kernel: telemetry.kernel(this.kernel),
      clock,
      log,
      source: signal => this.#source(signal),
      lastHeard: () => undefined,
    })
    const { signal } = this.stop
    this.#ended = Promise.all([telemetry.serve(this.agent, signal), this.agent.run(signal)])
  }

  put(...objects: readonly ClusterObject[]): void {
    for (const object of objects) this.send({ type: 'put', object })
  }

  synced(): void {
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) this.send({ type: 'synced', kind })
  }

  send(event: Event): void {
    this.#events.push(event)
    this.#wake()
  }

  async end(): Promise<void> {
    this.stop.abort()
    await this.#ended
    await this.server.close()
  }

  /** The value of one series, once it is there. */
  async series(name: string): Promise<string | undefined> {
    const { body } = await ask(this.metrics, '/metrics')
    return body
      .split('\n')
      .find(line => line.startsWith(`${name} `))
      ?.slice(name.length + 1)
  }

  /** The Events the API server has, by their reason. */
  async events(): Promise<readonly KubeEvent[]> {
    const answer = await fetch(`${this.server.url}/apis/events.k8s.io/v1/events`)
    const { items } = (await answer.json()) as { readonly items: readonly KubeEvent[] }
    return items.toSorted((a, b) => (a.reason < b.reason ? -1 : 1))
  }

  async *#source(signal: AbortSignal): AsyncGenerator<Event> {
    signal.addEventListener('abort', () => this.#wake())
    while (!signal.aborted) {
      const event = this.#events.shift()
      if (event !== undefined) yield event
      else await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }
}

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(() => world.end())

function poll(get: () => Promise<unknown> | unknown) {
  return expect.poll(get, { interval: 5 })
}

/** The status of an answer; 0 while no server answers. */
async function status(at: number, path: string): Promise<number> {
  return (await ask(at, path).catch(() => undefined))?.status ?? 0
}

const LB = { type: 'LoadBalancer', externalPolicy: 'Local' } as const

describe('an agent', () => {
  test('answers from its first moment, and says that it is well only once rules stand', async () => {
    await world.start()
    await poll(() => status(world.healthz, '/healthz')).toBe(503)
    await poll(() => status(world.metrics, '/healthz')).toBe(200)
    world.put(node('here'), service('shop/cart', ['10.96.0.10']))
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(await status(world.healthz, '/healthz')).toBe(503)
    expect(await status(world.healthz, '/livez')).toBe(200)
    world.synced()
    await poll(() => status(world.healthz, '/healthz')).toBe(200)
    world.put(node('here', { deleting: true }))
    await poll(() => status(world.healthz, '/healthz')).toBe(503)
    expect(await status(world.healthz, '/livez')).toBe(200)
    expect(Number(await world.series('kubeproxy_proxy_healthz_total{code="503"}'))).toBeGreaterThan(1)
  })

  test('whose kernel refuses rules says so when a change has waited for twice the sync period, and is well again after it', async () => {
    await world.start()
    world.put(node('here'))
    world.synced()
    await poll(() => status(world.healthz, '/healthz')).toBe(200)
    const heal = world.kernel.failWhen(({ argv }) => argv[0].endsWith('-restore'))
    const failedAt = performance.now()
    world.put(service('shop/cart', ['10.96.0.10']))
    await poll(() => status(world.healthz, '/healthz')).toBe(503)
    expect(performance.now() - failedAt).toBeGreaterThan(900)
    expect(await status(world.healthz, '/livez')).toBe(200)
    heal()
    await poll(() => status(world.healthz, '/healthz')).toBe(200)
    const failures = 'kubeproxy_sync_proxy_rules_iptables_restore_failures_total{ip_family="IPv4"}'
    expect(Number(await world.series(failures))).toBeGreaterThan(0)
  })

  test('has numbers for what it did', async () => {
    await world.start()
    const slices = [slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', { nodeName: 'there' })])]
    world.put(node('here'), service('shop/cart', ['10.96.0.10'], { internalPolicy: 'Local' }), ...slices)
    world.synced()
    await poll(() => status(world.healthz, '/healthz')).toBe(200)
    world.put(slice('shop/a', 'shop/cart', [endpoint('10.1.0.2', { nodeName: 'there' })], { triggered: Date.now() }))
    const programmed = 'kubeproxy_network_programming_duration_seconds_count{ip_family="IPv4"}'
    await poll(() => world.series(programmed)).toBe('1')
    expect(await world.series('kubeproxy_sync_proxy_rules_service_changes_total')).toBe('2')
    expect(await world.series('kubeproxy_sync_proxy_rules_endpoint_changes_total')).toBe('2')
    expect(await world.series('kubeproxy_sync_proxy_rules_endpoint_changes_pending')).toBe('0')
    const nat = Number(await world.series('kubeproxy_sync_proxy_rules_iptables_total{ip_family="IPv4",table="nat"}'))
    const chains = (await world.kernel.run(anyCommand(['iptables-save', '-t', 'nat']))).stdout
    expect(nat).toBe(chains.match(/^-A .*KUBE/gm)!.length)
    const noLocal = 'kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="internal"}'
    expect(await world.series(noLocal)).toBe('1')
    expect(Number(await world.series('switchyard_units{ip_family="IPv6"}'))).toBeGreaterThan(5)
    await poll(() =>
      world.series(`rest_client_requests_total{code="201",host="${new URL(world.server.url).host}",method="POST"}`),
    ).toBe('1')
    expect(JSON.parse((await ask(world.metrics, '/configz')).body)['kubeproxy.config.k8s.io'].mode).toBe('iptables')
  })
})

describe('a health check port', () => {
  test('opens when rules stand, follows the pods of the node, and closes with its Service', async () => {
    await world.start()
    const at = await freePort()
    const here = (ready: boolean) => slice('shop/a', 'shop/cart', [endpoint('10.1.0.1', { nodeName: 'here', ready })])
    world.put(node('here'), service('shop/cart', ['10.96.0.10'], { ...LB, healthCheckNodePort: at }), here(true))
    await new Promise(resolve => setTimeout(resolve, 30))
    expect(await status(at, '/')).toBe(0)
    world.synced()
    await poll(() => status(at, '/')).toBe(200)
    world.put(here(false))
    await poll(() => status(at, '/')).toBe(503)
    world.send({ type: 'gone', kind: 'Service', name: service('shop/cart', []).name })
    await poll(() => status(at, '/')).toBe(0)
  })

  test('answers on loopback where the node port addresses name it, though no node port does', async () => {
    const listing = JSON.stringify([
      { ifname: 'lo', addr_info: [{ family: 'inet', local: '127.0.0.1', scope: 'host' }] },
      { ifname: 'eth0', addr_info: [{ family: 'inet', local: '127.0.0.2', scope: 'global' }] },
    ])
    const isListing = ({ argv }: Command) => argv.includes('address') && argv.includes('show')
    world.kernel.failWhen(isListing, { code: 0, stdout: listing, stderr: '' })
    await world.start('--nodeport-addresses=127.0.0.1/32')
    const at = await freePort()
    world.put(service('shop/cart', ['10.96.0.10'], { ...LB, healthCheckNodePort: at }))
    world.synced()
    await poll(() => status(at, '/')).toBe(503)
    expect(await ask(at, '/', '127.0.0.2').catch(() => 'refused')).toBe('refused')
    expect((await world.kernel.run(anyCommand(['iptables-save', '-t', 'nat']))).stdout).not.toMatch(/127\.0\.0\.1/)
  })

  test('works also where the health server is turned off', async () => {
    await world.start('--healthz-bind-address=')
    const at = await freePort()
    const pod = endpoint('10.1.0.1', { nodeName: 'here' })
    world.put(
      service('shop/cart', ['10.96.0.10'], { ...LB, healthCheckNodePort: at }),
      slice('shop/a', 'shop/cart', [pod]),
    )
    world.synced()
    await poll(() => status(at, '/')).toBe(200)
    expect(await status(world.healthz, '/healthz')).toBe(0)
  })
})

describe('Events', () => {
  test('report the start, a health check port that is taken, and a claim that was lost', async () => {
    const occupied = await occupyPort({ port: 0, host: '0.0.0.0' })
    await world.start()
    world.server.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    const ports = [port({ port: 80 })]
    world.put(
      node('here'),
      service('shop/lb', ['10.96.0.11'], { ...LB, healthCheckNodePort: occupied.port }),
      service('shop/a', ['10.96.0.12'], { ports, externalIPs: service('x/x', ['192.0.2.1']).clusterIPs }),
      service('shop/b', ['10.96.0.13'], { ports, externalIPs: service('x/x', ['192.0.2.1']).clusterIPs, created: 5 }),
    )
    world.synced()
    const reasons = ['AddressClaimed', 'FailedToStartServiceHealthcheck', 'Starting']
    await poll(async () => (await world.events()).map(({ reason }) => reason)).toEqual(reasons)
    const [claimed, failed] = await world.events()
    expect(claimed).toMatchObject({
      regarding: { kind: 'Service', namespace: 'shop', name: 'b' },
      note: 'Service "shop/b" does not get tcp 192.0.2.1 80: "shop/a" is older and has it',
    })
    expect(failed!.note).toMatch(/^node here failed to start healthcheck "shop\/lb" on port \d+: listen EADDRINUSE/)
    await occupied.release()
  })

  test('that the API server refuses are a line at -v=2 and nothing else', async () => {
    world.server = await startApiServer()
    world.server.inject({ do: 'status', code: 403, on: 'write' })
    await world.start()
    world.put(node('here'))
    world.synced()
    await poll(() => status(world.healthz, '/healthz')).toBe(200)
    const line = '"Event was not sent" reason="Starting" why="the API server answered 403"'
    await poll(() => world.heard.lines).toContain(line)
    expect(await world.series('switchyard_events_total{result="dropped"}')).toBe('1')
    expect(await world.events()).toEqual([])
  })
})
