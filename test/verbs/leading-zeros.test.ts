import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

// A Service that was stored before Kubernetes became strict is served by kube-proxy; after the swap it must still be.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const STORED = `
apiVersion: v1
kind: Service
metadata: { namespace: shop, name: old, labels: { app: old } }
spec: { clusterIP: 172.30.0.041, clusterIPs: [172.30.0.041], ipFamilies: [IPv4], ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { namespace: shop, name: old-1, labels: { kubernetes.io/service-name: old } }
addressType: IPv4
ports: [{ port: 8080 }]
endpoints: [{ addresses: [010.180.0.1] }]
`

test.each(['iptables', 'nftables', 'ipvs', 'userspace'])(
  '%s rules hold what is stored with leading zeros in decimal',
  mode => {
    const argv = [MAIN, 'render', '-f', '-', '--family=ipv4', `--proxy-mode=${mode}`]
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', input: STORED })
    expect(status).toBe(0)
    expect(stdout).toMatch(/172\.30\.0\.41\b/)
    // In userspace mode the endpoint is in no rule: the proxy connects to it.
    if (mode !== 'userspace') expect(stdout).toMatch(/\b10\.180\.0\.1\b/)
    expect(stdout).not.toMatch(/172\.30\.0\.0?(?:33|041)|\b(?:8|010)\.180\.0\.1/)
    expect(stderr).toMatch(/^W.*shop\/old\b.*spec\.clusterIPs\[0\]: .*172\.30\.0\.041.* is read as 172\.30\.0\.41/m)
    expect(stderr).toMatch(
      /^W.*shop\/old-1\b.*endpoints\[0\]\.addresses\[0\]: .*010\.180\.0\.1.* is read as 10\.180\.0\.1/m,
    )
  },
)
