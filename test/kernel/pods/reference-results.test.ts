import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { resultOf } from '#cni/delegation/outcome.ts'
import { printedResult } from '#cni/protocol/print.ts'
import { CNI_VERSIONS, type CniVersion } from '#cni/protocol/versions.ts'
import { cannotRun } from '../namespace.ts'

// Debian's plugins print a result; we read it, and print the same bytes.

const BRIDGE = '/usr/lib/cni/bridge'
const why = cannotRun() ?? (existsSync(BRIDGE) ? undefined : 'Debian’s containernetworking-plugins are missing')
const ATTACH = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && ip netns add pod && exec "$0"'

describe.skipIf(why !== undefined)(`a result of Debian’s bridge${why ? ` (skipped: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'results-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  function added(cniVersion: CniVersion): string {
    const ranges = [[{ subnet: '10.77.0.0/24' }], [{ subnet: 'fd77::/64' }]]
    const routes = [{ dst: '0.0.0.0/0', gw: '10.77.0.1' }, { dst: '::/0' }]
    const ipam = { type: 'host-local', dataDir: join(folder, cniVersion), ranges, routes }
    const dns = { nameservers: ['10.96.0.10'], search: ['svc'], domain: 'cluster.local', options: ['ndots:5'] }
    const config = { cniVersion, name: 'net', type: 'bridge', bridge: 'br0', isGateway: true, ipam, dns }
    const { status, stdout, stderr } = spawnSync('unshare', ['--net', '--mount', 'sh', '-c', ATTACH, BRIDGE], {
      input: JSON.stringify(config),
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        ...{ CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c', CNI_NETNS: '/run/netns/pod', CNI_IFNAME: 'eth0' },
        CNI_PATH: '/usr/lib/cni',
      },
    })
    if (status !== 0) throw new Error(`${stdout}${stderr}`)
    return stdout
  }

  test.each(CNI_VERSIONS.filter(version => version !== '1.1.0'))('of version %s is printed as it was read', version => {
    const stdout = added(version)
    expect(stdout).toContain('10.77.0.2/24')
    expect(printedResult(resultOf('bridge', stdout), version)).toBe(stdout)
  })
})
