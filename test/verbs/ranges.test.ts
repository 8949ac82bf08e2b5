import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { Program } from '../effects/program.ts'
import { ask, freePort } from '../support/local-ports.ts'

// `ranges controller` as it is started: what is wrong with its flags, and what signals do.

let program: Program
beforeEach(() => {
  program = new Program()
})
afterEach(() => program.remove())

describe('what is wrong is said in a line, and nothing is started', () => {
  test.each([
    [[], '--cluster-cidr: is missing; write a range for the pods of all nodes, such as 10.244.0.0/16'],
    [
      ['--cluster-cidr=10.244.0.0/16', '--node-cidr-mask-size=12'],
      '--node-cidr-mask-size: 12 is no mask for the blocks of 10.244.0.0/16: a block is larger than 10.244.0.0/16; write a number from 16 to 30',
    ],
    [
      ['--cluster-cidr=10.244.0.0/16', '--node-cidr-mask-size-ipv6=64'],
      '--node-cidr-mask-size-ipv6: 64 is given, but --cluster-cidr has no IPv6 range; add one, or leave the flag out',
    ],
    [
      ['--cluster-cidr=10.244.0.0/40'],
      '--cluster-cidr (clusterCIDR): invalid value "10.244.0.0/40": must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)',
    ],
    [
      ['--cluster-cidr=10.244.0.0/16', '--leader-elect-renew-deadline=20s'],
      '--leader-elect-renew-deadline: invalid value "20s": must be less than --leader-elect-lease-duration, 15s',
    ],
    [
      ['--cluster-cidr=10.244.0.0/16', '--leader-elect-retry-period=0'],
      '--leader-elect-retry-period: invalid value "0s": must be greater than 0',
    ],
    [
      ['--cluster-cidr=10.244.0.0/16', '--leader-elect-resource-namespace=Kube System'],
      '--leader-elect-resource-namespace: invalid value "Kube System": must be the name of a namespace, such as kube-system',
    ],
    [
      ['--cluster-cidr=10.244.0.0/16', '--node-cidr-cooldown=-1s'],
      '--node-cidr-cooldown: invalid value "-1s": must be greater than or equal to 0',
    ],
  ])('%j', async (flags, line) => {
    expect(await program.run('ranges', 'controller', ...flags)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: ${line}\n`,
    })
  })

  test('and so is a flag of kube-controller-manager that is not known here', async () => {
    const { code, stderr } = await program.run(
      'ranges',
      'controller',
      '--secondary-service-cluster-ip-range=fd00::/108',
    )
    expect(code).toBe(1)
    expect(stderr.split('\n')[0]).toBe(
      'Error: unknown flag: --secondary-service-cluster-ip-range (did you mean --service-cluster-ip-range?)',
    )
  })

  test('without an API server', async () => {
    const { code, stderr } = await program.run('ranges', 'controller', '--cluster-cidr=10.244.0.0/16')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^E.*"command failed" err=".*KUBERNETES_SERVICE_HOST.*give --kubeconfig=FILE or --master=URL"$/m,
    )
  })
})

describe('two of them', () => {
  let server: ApiServer
  beforeEach(async () => {
    server = await startApiServer()
  })
  afterEach(() => server.close())

  async function elections(): Promise<readonly string[]> {
    const answer = await fetch(`${server.url}/apis/events.k8s.io/v1/events`)
    const { items } = (await answer.json()) as {
      items: readonly {
        readonly reason: string
        readonly note: string
        readonly regarding: { readonly kind: string }
      }[]
    }
    const ofLease = items.filter(({ reason, regarding }) => reason === 'LeaderElection' && regarding.kind === 'Lease')
    return ofLease.map(({ note }) => note.replace(/^.*_[0-9a-f-]{36} /, ''))
  }

  const podCIDRs = (name: string): unknown =>
    (server.store.list('Node').find(({ metadata }) => metadata.name === name)?.spec as { podCIDRs?: unknown })?.podCIDRs
  const soon = { timeout: 60_000, interval: 10 }

  function start(port: number, ...more: readonly string[]) {
    const flags = [
      '--cluster-cidr=10.240.0.0/12',
      `--master=${server.url}`,
      '--leader-elect-retry-period=200ms',
      ...more,
    ]
    return program.start('ranges', 'controller', ...flags, `--ranges-metrics-bind-address=127.0.0.1:${port}`)
  }

  test('a leader that is killed in the middle: the other takes its place, and no range is given twice', async () => {
    for (let i = 0; i < 300; i++) server.store.put({ kind: 'Node', metadata: { name: `n${i}` }, spec: {} })
    const lease = ['--leader-elect-lease-duration=2s', '--leader-elect-renew-deadline=1s']
    const first = start(await freePort(), ...lease)
    await expect.poll(() => first.heard.stderr, soon).toContain('Successfully acquired lease')
    const second = start(await freePort(), ...lease)
    const given = (): readonly string[] =>
      server.store.list('Node').flatMap(({ spec }) => (spec as { podCIDRs?: readonly string[] }).podCIDRs ?? [])
    await expect.poll(() => given().length, { ...soon, interval: 1 }).toBeGreaterThan(0)
    process.kill(first.pid, 'SIGKILL')
    await first.ended
    await expect.poll(() => given().length, soon).toBe(300)
    expect(new Set(given()).size).toBe(300)
    server.store.put({ kind: 'Node', metadata: { name: 'late' }, spec: {} })
    await expect.poll(() => podCIDRs('late'), soon).toHaveLength(1)
    expect(new Set(given()).size).toBe(301)
    second.stop()
    expect(await second.ended).toMatchObject({ code: 0 })
  })

  test('one leads, and after SIGTERM the other, at once', async () => {
    const ports = [await freePort(), await freePort()] as const
    const join = (name: string) => server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} })
    join('a')
    const first = start(ports[0])
    await expect.poll(() => podCIDRs('a'), soon).toEqual(['10.240.0.0/24'])
    const second = start(ports[1])
    await expect.poll(() => second.heard.stderr, soon).toMatch(/"Another process leads" .*holder="/)
    const numbers = async (port: number) => (await ask(port, '/metrics').catch(() => ({ body: '' }))).body
    const leads = 'leader_election_master_status{name="switchyard-ranges"}'
    await expect.poll(() => numbers(ports[0]), soon).toContain(`${leads} 1\n`)
    await expect.poll(() => numbers(ports[1]), soon).toContain(`${leads} 0\n`)
    expect((await ask(ports[1], '/healthz')).status).toBe(200)
    await expect.poll(elections, soon).toEqual(['became leader'])
    first.stop()
    expect(await first.ended).toMatchObject({ code: 0, stdout: '' })
    expect(first.heard.stderr).toMatch(/"Released lease" lock="kube-system\/switchyard-ranges"\n.*"Stopped"\n$/)
    join('b')
    await expect.poll(() => podCIDRs('b'), soon).toEqual(['10.240.1.0/24'])
    // Events are sent beside all else, and those that are not yet sent when it stops are dropped.
    await expect.poll(elections, soon).toEqual(['became leader', 'became leader'])
    second.stop()
    expect(await second.ended).toMatchObject({ code: 0 })
  })
})
