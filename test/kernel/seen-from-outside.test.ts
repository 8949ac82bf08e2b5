import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { within } from '#lab/network/namespaces.ts'
import { must } from '#system/must.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { whyNot } from './ground.ts'
import { type Namespace, newNamespace } from './namespace.ts'

// The program itself, with its servers and its configuration file, on a node of its own with the real tools.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const API = fileURLToPath(new URL('./api-program.ts', import.meta.url))
const PORT = 6998

const OBJECTS = [
  { kind: 'Node', apiVersion: 'v1', metadata: { name: 'here' }, status: {} },
  {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ port: 80 }] },
  },
]

describe.skipIf(why !== undefined)(`switchyard run, seen from outside${why ? ` (skipped: ${why})` : ''}`, () => {
  let node: Namespace
  let api: Child
  let folder: string
  const programs: Child[] = []

  beforeAll(async () => {
    node = await newNamespace('seen')
    await must(node.kernel, anyCommand(['ip', 'link', 'set', 'lo', 'up']))
    const ready = Promise.withResolvers<string>()
    const options = JSON.stringify({ options: { port: PORT }, objects: OBJECTS })
    const argv = within(node.name, [process.execPath, API, options])
    api = startChild({ argv, onLine: ready.resolve })
    await ready.promise
  })
  afterAll(async () => {
    await api?.stop()
    await node?.end()
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-seen-'))
  })
  afterEach(async () => {
    await Promise.all(programs.splice(0).map(program => program.stop()))
    rmSync(folder, { recursive: true })
  })

  function run(...flags: readonly string[]): Child {
    const argv = within(node.name, [process.execPath, MAIN, '--hostname-override=here', ...flags])
    const program = startChild({ argv, onLine: () => {} })
    programs.push(program)
    return program
  }

  /** `STATUS BODY`, as a client on the node gets it; empty where no server answers. */
  async function get(url: string): Promise<string> {
    const script = `fetch('${url}').then(async r => console.log(r.status, await r.text()), () => {})`
    return (await node.kernel.run(anyCommand([process.execPath, '-e', script]))).stdout
  }

  function poll(ask: () => Promise<unknown>) {
    return expect.poll(ask, { interval: 50, timeout: 45_000 })
  }

  /** As kubelet writes a ConfigMap volume. */
  function writeConfigMap(revision: string, more: string): string {
    mkdirSync(join(folder, revision))
    const header = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'
    writeFileSync(join(folder, revision, 'config.conf'), `${header}mode: iptables\n${more}`)
    symlinkSync(revision, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    return join(folder, 'config.conf')
  }

  test('answers on both ports, and ends with 1 and its rules in place when its ConfigMap changes', async () => {
    const file = writeConfigMap('..1', 'clusterCIDR: 10.244.0.0/16\n')
    symlinkSync('..data/config.conf', file)
    const program = run(`--config=${file}`, `--master=http://127.0.0.1:${PORT}`)
    await poll(() => get('http://127.0.0.1:10256/healthz')).toMatch(/^200 \{"lastUpdated".*"nodeEligible":true/)
    expect(await get('http://[::1]:10256/livez')).toMatch(/^200 /)
    expect(await get('http://127.0.0.1:10249/proxyMode')).toBe('200 iptables\n')
    const metrics = await get('http://127.0.0.1:10249/metrics')
    const last = /kubeproxy_sync_proxy_rules_iptables_last\{ip_family="IPv4",table="nat"\} ([1-9]\d*)/
    expect(metrics).toMatch(/kubeproxy_sync_full_proxy_rules_duration_seconds_count\{ip_family="IPv6"\} 1/)
    expect(metrics).toMatch(last)
    expect(metrics).toMatch(/switchyard_command_duration_seconds_count\{program="iptables(-\w+)?-restore"\} 1/)
    expect(Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)![1])).toBeGreaterThan(1e7)

    writeConfigMap('..2', 'clusterCIDR: 10.245.0.0/16\n')
    const { code, stderr } = await program.ended
    expect(code).toBe(1)
    expect(stderr).toContain('"Configuration changed" setting="clusterCIDR" old="10.244.0.0/16" new="10.245.0.0/16"')
    expect(stderr).toContain(`"command failed" err="content of the proxy server's configuration file was updated"`)
    const { stdout: rules } = await must(node.kernel, anyCommand(['iptables-save', '-t', 'nat']))
    expect(rules).toContain('-j KUBE-SERVICES')
  })

  test('ends with 1 where a port is taken and that is to be the end, and not otherwise', async () => {
    const taken = ['--metrics-bind-address=127.0.0.1:6998', '--healthz-bind-address=127.0.0.1:10256']
    const hard = run(`--master=http://127.0.0.1:${PORT}`, ...taken, '--bind-address-hard-fail')
    const { code, stderr } = await hard.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /"command failed" err="metrics server failed: starting metrics server failed on 127.0.0.1:6998/,
    )
    const soft = run(`--master=http://127.0.0.1:${PORT}`, ...taken)
    await poll(() => get('http://127.0.0.1:10256/healthz')).toMatch(/^200 /)
    const ended = await soft.stop(30_000)
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('"Metrics server failed"')
  })
})
