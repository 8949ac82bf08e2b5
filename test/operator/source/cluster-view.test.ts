import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { clusterView, noNode } from '#operator/source/cluster-view.ts'
import { NoCluster } from '#operator/source/no-cluster.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { accepted } from '../../config/parsing.ts'
import { captureLog } from '../../support/captured-log.ts'
import { node } from '../../support/objects.ts'

// A command line → the cluster it is about. The agent's and an API server's are in kernel/ask/ and verbs/reads.test.ts.

const folder = mkdtempSync(join(tmpdir(), 'view-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, ...items: readonly object[]): string {
  const path = join(folder, name)
  writeFileSync(path, items.map(item => `---\n${JSON.stringify(item)}\n`).join(''))
  return path
}

const aNode = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, uid: name } })
const NODES = file('nodes.yaml', aNode('one'), aNode('two'))
const PODS = file('pods.yaml', {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', uid: 'w' } },
  ...{ spec: { nodeName: 'two' }, status: { podIPs: [{ ip: '10.244.1.2' }] } },
})

async function view(...argv: readonly string[]) {
  const { settings } = await accepted({ verb: 'verify', argv })
  return clusterView({ settings, log: captureLog().log })
}

describe('of files', () => {
  test('is one, whatever agent or API server there is, seen from the node that is named', async () => {
    const seen = await view('-f', NODES, '-f', PODS, '--hostname-override=two', '--kubeconfig=/no/such')
    expect(seen).toMatchObject({ by: 'files', from: `${NODES}, ${PODS}`, nodeName: 'two', namespace: 'default' })
    expect(seen.cluster.node?.name).toBe('two')
    expect((await seen.allNodes())?.map(({ name }) => name)).toEqual(['one', 'two'])
    expect(await seen.pods()).toMatchObject([{ pod: 'shop/web', node: 'two' }])
  })

  test('knows of no pods where no file has one', async () => {
    expect(await (await view('-f', NODES)).pods()).toBeUndefined()
  })

  test('is refused where one cannot be read', async () => {
    await expect(view('-f', NODES, '-f', '/no/such')).rejects.toThrow(
      '--filename (-f): cannot read /no/such: there is no such file',
    )
  })
})

test('of an API server that is named and is none is what its flag is, not where else to look', async () => {
  await expect(view('--kubeconfig=/no/such')).rejects.toThrow(/^--kubeconfig: cannot read the kubeconfig/)
  expect(await view('--kubeconfig=/no/such').catch(error => error instanceof NoCluster)).toBe(false)
})

describe('which node is meant', () => {
  const nodes = [node('one'), node('two')]
  const withNode = new Cluster()
  withNode.apply({ type: 'put', object: nodes[0]! })

  test.each([
    ['is known where the cluster has it', { cluster: withNode, nodes, nodeName: 'one' }, undefined],
    ['is not asked where no Nodes are known', { cluster: new Cluster(), nodes: [], nodeName: 'x' }, undefined],
    [
      'is asked where none of several has this name',
      { cluster: new Cluster(), nodes, nodeName: 'a "b"' },
      '"a \\"b\\"" is none of the 2 Nodes; --hostname-override says which one is meant',
    ],
  ])('%s', (_, about, line) => {
    expect(noNode(about)).toBe(line)
  })
})
