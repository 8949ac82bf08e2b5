import { expect, test } from 'vitest'
import { documents } from '#kubernetes/sources/files.ts'
import { openLog } from '#telemetry/log/klog.ts'
import { logObject } from '#telemetry/log/kubernetes.ts'

const SERVICES = `
apiVersion: v1
kind: Service
metadata: { namespace: shop, name: old }
spec: { clusterIP: 172.30.0.041, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { namespace: shop, name: plain }
spec: { clusterIP: 172.30.0.42, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { namespace: shop, name: broken }
spec: { clusterIP: 172.30.0.0256, ports: [{ port: 80 }] }
`

test('an object with leading zeros is named with its field, as one that was left out is; others have no line', () => {
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line) }
  const log = openLog({ format: 'text', verbosity: 0, sink, clock: { now: () => 0 }, pid: 1 })
  for (const event of documents([{ name: 'a.yaml', text: SERVICES }])) logObject(log, event)
  expect(lines.map(line => line.replace(/^W.*?\] /, ''))).toEqual([
    '"Kept what should be written otherwise" kind="Service" name="shop/old" warnings=["a.yaml:2: spec.clusterIP: \\"172.30.0.041\\" has leading zeros; it is read as 172.30.0.41"]\n',
    '"Left out what cannot be used" kind="Service" name="shop/broken" problems=["a.yaml:12: spec.clusterIP: \\"172.30.0.0256\\" is not an IP address, None or empty"]\n',
  ])
})
