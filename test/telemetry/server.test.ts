import { expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { shownConfiguration } from '#config/shown/effective.ts'
import { pageAt, type Shown } from '#telemetry/server.ts'
import { Slis } from '#telemetry/slis.ts'

/** What kube-proxy 1.36 answers with these flags. */
const KUBE_PROXYS_CONFIGZ =
  '{"kubeproxy.config.k8s.io":{"kind":"KubeProxyConfiguration","apiVersion":"kubeproxy.config.k8s.io/v1alpha1","clientConnection":{"kubeconfig":"PATH","acceptContentTypes":"","contentType":"application/vnd.kubernetes.protobuf","qps":5,"burst":10},"logging":{"format":"text","flushFrequency":"5s","verbosity":4,"options":{"text":{"infoBufferSize":"0"},"json":{"infoBufferSize":"0"}}},"hostnameOverride":"inv1","bindAddress":"0.0.0.0","healthzBindAddress":"0.0.0.0:10256","metricsBindAddress":"127.0.0.1:10249","bindAddressHardFail":false,"enableProfiling":false,"showHiddenMetricsForVersion":"","mode":"iptables","iptables":{"masqueradeBit":14,"masqueradeAll":false,"localhostNodePorts":true,"syncPeriod":"30s","minSyncPeriod":"1s"},"ipvs":{"syncPeriod":"0s","minSyncPeriod":"0s","scheduler":"","excludeCIDRs":null,"strictARP":false,"tcpTimeout":"0s","tcpFinTimeout":"0s","udpTimeout":"0s"},"nftables":{"masqueradeBit":14,"masqueradeAll":false,"syncPeriod":"0s","minSyncPeriod":"0s"},"winkernel":{"networkName":"","sourceVip":"","enableDSR":false,"rootHnsEndpointName":"","forwardHealthCheckVip":false},"detectLocalMode":"ClusterCIDR","detectLocal":{"bridgeInterface":"","interfaceNamePrefix":""},"clusterCIDR":"10.244.0.0/16","nodePortAddresses":null,"oomScoreAdj":-999,"conntrack":{"maxPerCore":0,"min":131072,"tcpEstablishedTimeout":"0s","tcpCloseWaitTimeout":"0s","tcpBeLiberal":false,"udpTimeout":"0s","udpStreamTimeout":"0s"},"configSyncPeriod":"15m0s","portRange":""}}'

const FLAGS = [
  '--kubeconfig=PATH',
  '-v=4',
  '--hostname-override=inv1',
  '--cluster-cidr=10.244.0.0/16',
  '--conntrack-max-per-core=0',
  '--conntrack-tcp-timeout-established=0',
  '--conntrack-tcp-timeout-close-wait=0',
]

async function shown(more: Partial<Shown> = {}, flags: readonly string[] = FLAGS): Promise<Shown> {
  const parsed = await parseArguments('run', flags, () => Promise.reject(new Error('no file here')))
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return {
    metrics: () => 'up 1\n',
    slis: new Slis(1_795_221_198_250),
    mode: 'iptables',
    configuration: shownConfiguration(parsed.configuration),
    refused: () => [],
    flags: parsed.flags,
    version: 'v1.2.3',
    runtime: 'Node v26',
    startedAt: Date.parse('2026-11-21T00:33:18Z'),
    now: () => Date.parse('2026-11-21T02:34:26Z'),
    ...more,
  }
}

function page(of: Shown, url: string) {
  const { pathname: path, searchParams: query } = new URL(url, 'http://node')
  return pageAt(of, { path, query })
}

test.each([
  ['/metrics', 'text/plain; version=0.0.4; charset=utf-8', 'up 1\n'],
  ['/proxyMode', 'text/plain; charset=utf-8', 'iptables'],
  ['/healthz', 'text/plain; charset=utf-8', 'ok'],
  ['/healthz/ping', 'text/plain; charset=utf-8', 'ok'],
  ['/healthz?verbose', 'text/plain; charset=utf-8', '[+]ping ok\nhealthz check passed\n'],
])('%s answers as kube-proxy does', async (url, type, body) => {
  const headers = { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' }
  expect(page(await shown(), url)).toEqual({ status: 200, headers, body })
})

test('/configz says what kube-proxy says with the same flags, field by field', async () => {
  const { headers, body } = page(await shown(), '/configz')!
  expect(headers['Content-Type']).toBe('application/json')
  expect(JSON.parse(body)).toEqual(JSON.parse(KUBE_PROXYS_CONFIGZ))
  expect(body.startsWith('{"kubeproxy.config.k8s.io":{"kind":"KubeProxyConfiguration","apiVersion":')).toBe(true)
})

test('/refusedz names the Services whose rules the kernel refuses', async () => {
  const refusal = { ipFamily: 'IPv4', servicePort: 'shop/cart:http/tcp', unit: 'nat KUBE-SVC-A', reason: 'no chain' }
  const { headers, body } = page(await shown({ refused: () => [refusal] }), '/refusedz')!
  expect([headers['Content-Type'], JSON.parse(body)]).toEqual(['application/json', [refusal]])
})

test('/configz of userspace mode has the field that only that mode has', async () => {
  const { body } = page(await shown({}, ['--proxy-mode=userspace', '--udp-timeout=1s']), '/configz')!
  expect(JSON.parse(body)['kubeproxy.config.k8s.io']).toMatchObject({ mode: 'userspace', udpIdleTimeout: '1s' })
})

test('/flagz lists every flag with its value, sorted', async () => {
  const lines = page(await shown(), '/flagz')!.body.split('\n')
  expect(lines).toContain('cluster-cidr:10.244.0.0/16')
  expect(lines).toContain('nodeport-addresses:[]')
  const names = lines.slice(3, -1).map(line => line.slice(0, line.indexOf(':')))
  expect(names.length).toBeGreaterThan(50)
  expect(names).toEqual([...names].sort())
})

test('/statusz says since when, for how long, what is running, and where else to look', async () => {
  const { body } = page(await shown(), '/statusz')!
  expect(body).toContain('Started:  Sat, 21 Nov 2026 00:33:18 GMT\nUp:  2 hr 01 min 08 sec\n')
  expect(body).toContain('Binary version:  v1.2.3\n')
  expect(body).toContain(
    'Paths:  /configz /flagz /healthz /healthz/ping /metrics /metrics/slis /proxyMode /refusedz /statusz\n',
  )
})

test('/metrics/slis says what kube-proxy says once it has been asked for its health', async () => {
  const of = await shown()
  expect(page(of, '/metrics/slis')!.body).not.toContain('ping')
  page(of, '/healthz')
  expect(
    page(of, '/metrics/slis')!.body,
  ).toBe(`# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single healthcheck.
# TYPE kubernetes_healthcheck gauge
kubernetes_healthcheck{name="ping",type="healthz"} 1
# HELP kubernetes_healthchecks_total [STABLE] This metric records the results of all healthcheck.
# TYPE kubernetes_healthchecks_total counter
kubernetes_healthchecks_total{name="ping",status="success",type="healthz"} 1
# HELP process_start_time_seconds [ALPHA] Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79522119825e+09
`)
})

test.each(['/', '/livez', '/readyz', '/metrics/', '/constructor', '/debug/pprof/'])('%s is not there', async path => {
  expect(page(await shown(), path)).toBeUndefined()
})
