import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Lab } from '#lab/network/lab.ts'
import { within } from '#lab/network/namespaces.ts'
import { openSeedLab, SEED_NODE, SEED_OBJECTS } from '#lab/network/seed.ts'
import { systemClock } from '#system/clock.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { Authority } from '../faults/certificates.ts'
import { whyNot } from './ground.ts'

// The program as a user starts it: a process on a node, an API server it must log in to, and what becomes of the rules.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack', 'openssl'])
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const API = fileURLToPath(new URL('./api-program.ts', import.meta.url))
const PORT = 6999
/** On a busy machine a program takes its time to end, and one that is killed does not end with 0. */
const GRACE_MS = 30_000
const DB = { to: '10.103.132.104', port: 3306 }

interface Program extends Child {
  readonly lines: string[]
}

describe.skipIf(why !== undefined)(`switchyard run${why ? ` (skipped: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-run-'))
  const authority = new Authority('a cluster of its own')
  const server = authority.sign('kube-apiserver')
  const user = authority.sign('system:kube-proxy')
  const programs: Program[] = []
  let lab: Lab

  beforeAll(async () => {
    lab = await openSeedLab(hostKernel())
  })
  afterEach(async () => {
    await Promise.all(programs.splice(0).map(program => program.stop()))
    await lab.node.kernel.run(
      anyCommand(['iptables-restore'], { input: '*nat\nCOMMIT\n*filter\nCOMMIT\n*mangle\nCOMMIT\n' }),
    )
  })
  afterAll(async () => {
    await lab?.close()
    authority.remove()
    rmSync(folder, { recursive: true })
  })

  function start(...argv: readonly string[]): Program {
    const lines: string[] = []
    const child = startChild({
      argv: within(lab.node.namespace, [process.execPath, ...argv]),
      onLine: line => lines.push(line),
    })
    const program = { ...child, lines }
    programs.push(program)
    return program
  }

  async function api(options: object = {}): Promise<Program> {
    const tls = { ...server, ca: authority.cert, requestCert: true }
    const program = start(
      API,
      JSON.stringify({ options: { port: PORT, tls, tokens: ['s3cret'], ...options }, objects: SEED_OBJECTS }),
    )
    await until(async () => program.lines.length > 0)
    return program
  }

  function kubeconfig(who: object): string {
    const file = join(folder, 'kubeconfig')
    const cluster = {
      server: `https://127.0.0.1:${PORT}`,
      'certificate-authority-data': Buffer.from(authority.cert).toString('base64'),
    }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'here',
      clusters: [{ name: 'here', cluster }],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
      users: [{ name: 'me', user: who }],
    }
    writeFileSync(file, JSON.stringify(config))
    return file
  }

  function agent(...flags: readonly string[]): Program {
    return start(
      MAIN,
      `--hostname-override=${SEED_NODE}`,
      '--cluster-cidr=10.244.0.0/16',
      '--healthz-bind-address=127.0.0.1:10256',
      ...flags,
    )
  }

  async function healthz(): Promise<number> {
    const { stdout } = await lab.node.kernel.run(
      anyCommand([
        process.execPath,
        '-e',
        "fetch('http://127.0.0.1:10256/healthz').then(r => console.log(r.status), () => console.log(0))",
      ]),
    )
    return Number(stdout)
  }

  const client = () => lab.pods.find(pod => pod.name === 'client')!
  const connects = async (): Promise<boolean> => (await client().connect({ ...DB, timeoutMs: 1000 })).ok

  test.each([
    ['a token', { token: 's3cret' }],
    ['a client certificate', { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) }],
    ['a token file, as kubeadm writes it', { tokenFile: join(folder, 'token') }],
  ])('logs in with %s to a server of a CA of its own, and traffic flows', async (_, who) => {
    writeFileSync(join(folder, 'token'), 's3cret\n')
    await api()
    const proxy = agent(`--kubeconfig=${kubeconfig(who)}`)
    await until(connects)
    await until(async () => (await healthz()) === 200)
    const ending = await proxy.stop(GRACE_MS)
    expect(ending.code).toBe(0)
    expect(ending.stderr).toContain('Adding new service "default/db-service:3306" at 10.103.132.104:3306/TCP')
    expect(ending.stderr).not.toMatch(/^E/m)
    expect(await connects()).toBe(true)
  })

  test('works from a KubeProxyConfiguration as kubeadm writes it', async () => {
    await api()
    const file = join(folder, 'config.conf')
    writeFileSync(
      file,
      [
        'apiVersion: kubeproxy.config.k8s.io/v1alpha1',
        'kind: KubeProxyConfiguration',
        'mode: ""',
        'clusterCIDR: 10.244.0.0/16',
        `hostnameOverride: ${SEED_NODE}`,
        'healthzBindAddress: 127.0.0.1:10256',
        'clientConnection:',
        `  kubeconfig: ${kubeconfig({ token: 's3cret' })}`,
        'iptables:',
        '  masqueradeBit: null',
        '',
      ].join('\n'),
    )
    start(MAIN, `--config=${file}`)
    await until(connects)
  })

  test('an API server that is not there is waited for: no exit, no health, and the rules that stand are not touched', async () => {
    const input =
      '*nat\n:KUBE-SERVICES - [0:0]\n-A KUBE-SERVICES -d 10.103.132.104/32 -p tcp -m tcp --dport 3306 -j DNAT --to-destination 10.244.1.2:3306\n-A PREROUTING -j KUBE-SERVICES\nCOMMIT\n'
    await lab.node.kernel.run(anyCommand(['iptables-restore', '--noflush'], { input }))
    const proxy = agent(`--kubeconfig=${kubeconfig({ token: 's3cret' })}`)
    await until(async () => (await healthz()) === 503)
    await systemClock.sleep(1500)
    expect(await connects()).toBe(true)
    expect(await healthz()).toBe(503)
    await api()
    await until(async () => (await healthz()) === 200)
    expect(await connects()).toBe(true)
    const { stderr, code } = await proxy.stop(GRACE_MS)
    expect(code).toBe(0)
    expect(stderr.match(/Waiting for the API server/g)).toHaveLength(1)
  })

  test('in nftables mode the ranges of Services are asked for, and what no Service has of them is dropped', async () => {
    const server = await api()
    const range = { metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/12'] } }
    const put = { kind: 'ServiceCIDR', apiVersion: 'networking.k8s.io/v1', ...range }
    server.writeLine(JSON.stringify({ put }))
    const proxy = agent(`--kubeconfig=${kubeconfig({ token: 's3cret' })}`, '--proxy-mode=nftables')
    const chain = ['nft', 'list', 'chain', 'ip', 'kube-proxy', 'cluster-ips-check'] as const
    const says = async (): Promise<string> => (await lab.node.kernel.run(anyCommand(chain))).stdout
    await until(connects)
    await until(async () => (await says()).includes('ip daddr 10.96.0.0/12 goto unallocated-ips-check'))
    server.writeLine(JSON.stringify({ remove: { kind: 'ServiceCIDR', name: 'kubernetes' } }))
    await until(async () => !(await says()).includes('unallocated'))
    await proxy.stop(GRACE_MS)
    for (const family of ['ip', 'ip6'])
      await lab.node.kernel.run(anyCommand(['nft', 'delete', 'table', family, 'kube-proxy']))
  })

  test('objects that come and go while it runs are followed', async () => {
    const server = await api()
    agent(`--kubeconfig=${kubeconfig({ token: 's3cret' })}`)
    await until(connects)
    server.writeLine(JSON.stringify({ remove: { kind: 'Service', namespace: 'default', name: 'db-service' } }))
    await until(async () => !(await connects()))
    const service = SEED_OBJECTS.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'db-service')
    server.writeLine(JSON.stringify({ put: service }))
    await until(connects)
  })
})

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

async function until(condition: () => Promise<boolean>, limitMs = 45_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${condition}`)
    await systemClock.sleep(20)
  }
}
