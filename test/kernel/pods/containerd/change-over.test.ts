import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { kustomized } from '../../../manifests/kustomized.ts'
import { Installation } from '../pods-node.ts'
import { cannotRunPods } from './network.ts'
import { PLUGINS, REFERENCE, REFERENCE_NETWORKS, type ReferenceNetwork } from './reference-networks.ts'
import { RuntimeNode, type RuntimePod } from './runtime-node.ts'

// A node of a real containerd whose pods were attached by the reference plugins goes over to ours by the commands of
// manifests/change-over, and back: every pod keeps its address and is reached by it, no address is given twice, and either side
// ends what the other began.

const missing = existsSync(`${REFERENCE}/ptp`) ? undefined : `${REFERENCE}/ptp is not installed`
const why = cannotRunPods() ?? missing
const BIN = '/opt/cni/bin'
const MANIFESTS = new URL('../../../../manifests/change-over/', import.meta.url)

/** Of the init container that is run on each node. */
function commandOf(way: string): readonly string[] {
  const set = kustomized(fileURLToPath(new URL(way, MANIFESTS))).find(({ kind }) => kind === 'DaemonSet')
  return set.spec.template.spec.initContainers[0].command.slice(1)
}

describe.skipIf(why !== undefined)(`changing over${why ? ` (skipped: ${why})` : ''}`, { timeout: 300_000 }, () => {
  let installation: Installation
  let node: RuntimeNode
  beforeAll(() => {
    installation = new Installation()
  })
  afterEach(() => node.stop())
  afterAll(() => installation.remove())

  const switchyard = (words: readonly string[]) => node.node.run(process.execPath, installation.program, ...words)
  const table = () => switchyard(['ipam', 'ls'])
  const rowOf = ({ address }: RuntimePod) =>
    new RegExp(`^${address.replaceAll('.', '\\.')} +(.+)$`, 'm').exec(table())?.[1]
  const plugin = (name: string) =>
    node.node.run('sh', '-c', `cmp -s ${BIN}/${name} ${REFERENCE}/${name} && printf theirs || printf ours`)

  /** What host-local has given, by its files. */
  const files = ({ dataDir }: ReferenceNetwork) => node.node.run('ls', dataDir).match(/^10\..*$/gm) ?? []

  async function begin({ file, list, prepare }: ReferenceNetwork): Promise<void> {
    node = await RuntimeNode.startWith(BIN, installation)
    node.node.run('sh', '-c', `mount -t tmpfs tmpfs /opt && mkdir -p ${BIN}`)
    node.node.run('cp', ...PLUGINS.map(name => `${REFERENCE}/${name}`), BIN)
    prepare?.(node.node, BIN)
    node.configure(list, file)
    await node.startRuntime()
  }

  /** Each way between each two. */
  function allTalk(pods: readonly RuntimePod[]): void {
    for (const from of pods) {
      for (const to of pods) if (from !== to) expect(node.asked(from, to.address)).toBe(`${to.name} ${from.address}`)
    }
  }

  test.each(Object.entries(REFERENCE_NETWORKS))('from %s to ours and back', async (way, network) => {
    await begin(network)
    await node.addOutside()
    const web = await node.run('web', { hostPort: 8080, containerPort: 80, protocol: 'TCP' })
    const [old, older] = [await node.run('old'), await node.run('older')]
    allTalk([web, old, older])

    const said = switchyard(commandOf(way))
    expect(said).toContain(`${network.list.name}: 3 addresses imported, 0 known already, 0 held by another container`)
    expect(PLUGINS.map(plugin)).toEqual(['ours', 'ours', 'ours', 'ours', 'theirs'])
    const daemon = await node.node.startDaemon()
    for (const pod of [web, old, older]) expect(rowOf(pod)?.split(/ +/)).toEqual(['ASSIGNED', `default/${pod.name}`])
    expect(node.node.ipam('check')).toMatchObject({ status: 0, stdout: '3 attachments: 3 in use\n' })
    // A second time, as after a restart of the pod.
    expect(switchyard(commandOf(way))).toContain('nothing was imported')
    const young = await node.run('young')
    expect([web, old, older].map(({ address }) => address)).not.toContain(young.address)
    allTalk([web, old, young])
    expect(node.asked('outside', '203.0.113.1:8080')).toMatch(/^web /)

    await node.end(old)
    expect(rowOf(old)).toMatch(/^COOLDOWN/)
    await node.end(web)
    expect(node.isAnswered('outside', '203.0.113.1:8080')).toBe(false)
    expect(node.state().rules.filter(rule => rule.includes(`${web.address}`))).toEqual([])
    expect(node.node.held()).toEqual([older.id, young.id].map(id => `${network.list.name} ${id}`).sort())
    allTalk([older, young])

    // An upgrade of the package brings host-local back: it gives no address, until ours is in its place again.
    node.node.run('cp', `${REFERENCE}/host-local`, `${BIN}/host-local`)
    await expect(node.run('unlucky')).rejects.toThrow(/failed \(add\): mkdir .*: not a directory/)
    expect(switchyard(commandOf(way))).toContain('there was nothing new to import')
    const lucky = await node.run('lucky')
    allTalk([older, lucky])
    await node.end(lucky)

    daemon.kill('SIGTERM')
    await daemon.ended
    const back = switchyard(commandOf(`${way}/back`))
    expect(back).toMatch(new RegExp(`^${network.list.name}: .* written, .* removed$`, 'm'))
    expect(PLUGINS.map(plugin)).toEqual(PLUGINS.map(() => 'theirs'))
    expect(files(network)).toEqual([older.address, young.address].sort())
    const youngest = await node.run('youngest')
    expect([older.address, young.address]).not.toContain(youngest.address)
    allTalk([older, young, youngest])
    for (const pod of [older, young, youngest]) await node.end(pod)
    expect(files(network)).toEqual([])
    expect(node.state()).toEqual({ links: expect.arrayContaining([...network.links]), rules: [] })
    expect(node.node.links().filter(link => ![...network.links, 'uplink'].includes(link))).toEqual([])
  })
})
