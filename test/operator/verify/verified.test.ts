import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { clusterOf } from '#operator/source/objects.ts'
import type { ClusterView } from '#operator/source/view.ts'
import { refusal, verified } from '#operator/verify/verified.ts'
import type { Kernel } from '#system/ports.ts'
import { accepted } from '../../config/parsing.ts'
import { captureLog } from '../../support/captured-log.ts'
import { endpoint, service, slice } from '../../support/objects.ts'
import { onPaper } from './paper-host.ts'

// A node that has no pods and no routes of ours: what differs in its rules, and what a repair says of each difference.

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verified-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function look(kernel: Kernel, ...argv: readonly string[]) {
  const flags = ['--family=ipv4', '--cluster-cidr=10.0.0.0/8', `--database=${join(folder, 'none.db')}`]
  const { settings } = await accepted({ verb: 'verify', argv: [...flags, ...argv] })
  const objects = [service('shop/cart', ['10.96.0.10']), slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2')])]
  const events = objects.map(object => ({ type: 'put', object }) as const)
  const view: ClusterView = {
    ...{ settings, nodeName: 'one', namespace: 'default', from: 'a test', by: 'files' },
    ...clusterOf(events, 'one', captureLog().log),
    pods: async () => undefined,
    allNodes: async () => undefined,
  }
  return verified({ settings, view, kernel, clock: new PaperClock() })
}

test('what differs is named, and nothing is changed', async () => {
  const paper = new PaperKernel()
  const before = paper.dump()
  const { differences, failures, mended } = await look(onPaper(paper))
  expect(differences.length).toBeGreaterThan(0)
  expect([failures, mended]).toEqual([[], undefined])
  expect(paper.dump()).toBe(before)
})

describe('a repair', () => {
  test('says of each difference that it is mended, and finds none the next time', async () => {
    const kernel = onPaper(new PaperKernel())
    const { differences, mended, failures } = await look(kernel, '--repair')
    expect(mended).toEqual(differences.map(({ unit }) => ({ unit, outcome: 'mended' })))
    expect(failures).toEqual([])
    expect(await look(kernel, '--repair')).toEqual({ differences: [], failures: [] })
  })

  test('says of what is still there that it is left, with what was in the way', async () => {
    const { differences, mended, failures } = await look(
      onPaper(new PaperKernel()),
      '--repair',
      '--proxy-mode=userspace',
    )
    expect(mended).toEqual(differences.map(({ unit }) => ({ unit, outcome: 'left' })))
    expect(failures).toEqual(['IPv4: rules of userspace mode are mended by a running agent alone'])
  })
})

test('a Service that the agent could not write is refused, for the first line of its reason', () => {
  const shown = { ipFamily: 'IPv4', servicePort: 'shop/cart:http/tcp', unit: 'nat KUBE-SVC-A', reason: 'no x\nmore' }
  expect(refusal(shown as never)).toEqual({
    ...{ kind: 'refused', part: 'services', unit: 'IPv4 nat KUBE-SVC-A', owners: ['shop/cart:http/tcp'] },
    ...{ found: ['no x'], wanted: [], alike: 0 },
    means: 'connections to shop/cart:http/tcp go where the rules led that the kernel took last, if any',
  })
})
