import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { systemClock } from '#system/clock.ts'
import { keepIn } from '#system/kept-files.ts'
import type { Keep } from '#system/ports.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { sameLines } from '../support/same-lines.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// An agent ends and another starts on what it left, on the real kernel, with files.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const WEB = { ports: [slicePort(8080)] }
/** Of a Service whose rules have matches that the kernel keeps numbers for. */
const STICKY = [
  service('shop/sticky', ['10.96.0.11'], { ports: [port({ port: 80, nodePort: 30080 })], stickySeconds: 600 }),
  slice('shop/sticky-4', 'shop/sticky', [endpoint('10.244.1.3'), endpoint('10.244.1.9')], { ports: [slicePort(8080)] }),
]
const OBJECTS = [
  ...STICKY,
  service('shop/web', ['10.96.0.10', 'fd10:96::10'], { ports: [port({ port: 80 })] }),
  slice('shop/web-4', 'shop/web', [endpoint('10.244.1.3', { nodeName: 'here' })], { ports: [slicePort(8080)] }),
]

describe.skipIf(why !== undefined)(`a belief that is kept${why ? ` (skipped: ${why})` : ''}`, () => {
  let folder: string
  let rig: Rig
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kept-'))
    rig = await Rig.open({ objects: OBJECTS, keep: keepIn(folder) })
  })
  afterEach(async () => {
    await rig.close()
    await rm(folder, { recursive: true })
  })

  const restarted = async (): Promise<readonly boolean[]> => {
    rig = await rig.restart({ objects: OBJECTS, keep: keepIn(folder) })
    return rig.agent.lanes.map(({ family }) => rig.reports.find(report => report.family === family)!.looked)
  }

  test('is believed by the next agent in both families, as often as one starts', async () => {
    const before = await rig.save()
    expect(await restarted()).toEqual([false, false])
    expect(await restarted()).toEqual([false, false])
    expect(await rig.save()).toBe(before)
    expect((await readdir(folder)).sort()).toEqual(['belief-ipv4', 'belief-ipv6'])
    await rig.lab.node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F']))
    await rig.settled()
    expect(await rig.save()).toBe(before)
  })

  test('is written while the agent runs: after a kill and commits of others, the next lists no table', async () => {
    const keep = keepIn(folder)
    let isKilled = false
    const ofTheKilled = {
      ...keep,
      save: async (name, pieces) => !isKilled && keep.save(name, pieces),
      append: async (name, piece) => !isKilled && keep.append(name, piece),
    } satisfies Keep
    rig = await rig.restart({ objects: OBJECTS, keep: ofTheKilled })
    await rm(join(folder, 'belief-ipv4'))
    await rig.put(slice('shop/web-4', 'shop/web', [endpoint('10.244.1.5', { nodeName: 'here' })], WEB))
    while (!(await readdir(folder)).includes('belief-ipv4')) await systemClock.sleep(50)
    isKilled = true
    await rig.put(slice('shop/web-4', 'shop/web', [endpoint('10.244.1.4', { nodeName: 'here' })], WEB))
    const before = await rig.save()
    await rig.stop()
    const [, chain] = /-A (KUBE-SVC-\S+) .*shop\/web/.exec(before)! as unknown as [string, string]
    for (const words of [
      ['-I', chain, '-j', 'RETURN'],
      ['-F', 'KUBE-MARK-MASQ'],
      ['-N', 'KUBE-SVC-AAAAAAAAAAAAAAAA'],
    ]) {
      await rig.lab.node.kernel.run(anyCommand(['iptables', '-t', 'nat', ...words]))
    }
    const moved = slice('shop/web-4', 'shop/web', [endpoint('10.244.1.4', { nodeName: 'here' })], WEB)
    rig = await rig.restart({ objects: [...OBJECTS, moved], keep })
    expect(rig.commands.map(({ argv }) => argv.join(' '))).not.toContain('iptables-nft-save')
    sameLines(sorted(await rig.save()), sorted(before))
    const { units } = rig.reports.find(({ family }) => family === 'ipv4')!
    expect([units.added + units.changed, units.removed]).toEqual([3, 1])
  })

  test('is kept of nftables as well; after a commit of others no table is listed with its elements', async () => {
    const nftables = { objects: OBJECTS, flags: ['--proxy-mode=nftables'], keep: keepIn(folder) }
    const tables = async (): Promise<string> => {
      const { stdout } = await rig.lab.node.kernel.run(anyCommand(['nft', '-s', 'list', 'table', 'ip', 'kube-proxy']))
      // Elements come in any order.
      return stdout
        .split(/[\s,]+/)
        .sort()
        .join(' ')
    }
    rig = await rig.restart(nftables)
    const before = await tables()
    rig = await rig.restart(nftables)
    expect(rig.reports.map(({ looked }) => looked)).toEqual([false, false])
    await rig.stop()
    const element = 'delete element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 }'
    await rig.lab.node.kernel.run(anyCommand(['nft', element]))
    rig = await rig.restart(nftables)
    expect(rig.reports.find(({ family }) => family === 'ipv4')).toMatchObject({ looked: true, units: { added: 1 } })
    expect(rig.commands.map(({ argv }) => argv.join(' '))).not.toContain('nft -j list table ip kube-proxy')
    expect(await tables()).toBe(before)
  })

  test('is not believed where its file is broken', async () => {
    await restarted()
    const keep = keepIn(folder)
    const broken = {
      ...keep,
      load: async (name: string) => (await keep.load(name))?.replace(/[A-Z]/, letter => (letter === 'A' ? 'B' : 'A')),
    }
    rig = await rig.restart({ objects: OBJECTS, keep: broken })
    expect(rig.reports.slice(0, 2).map(({ looked }) => looked)).toEqual([true, true])
  })

  test('is kept whole or not at all, and does without where there is no room', async () => {
    await writeFile(join(folder, 'file'), '')
    const nowhere = keepIn(join(folder, 'file'))
    expect(await nowhere.save('belief-ipv4', pieces('text'))).toBe(false)
    expect(await nowhere.load('belief-ipv4')).toBeUndefined()
    const keep = keepIn(join(folder, 'new', 'folder'))
    expect(await keep.append('belief-ipv4', 'more')).toBe(false)
    expect(await keep.save('belief-ipv4', pieces('te', 'xt'))).toBe(true)
    expect(await keep.append('belief-ipv4', ' and more')).toBe(true)
    expect(await readFile(join(folder, 'new', 'folder', 'belief-ipv4'), 'utf8')).toBe('text and more')
    expect(await readdir(join(folder, 'new', 'folder'))).toEqual(['belief-ipv4'])
  })
})

async function* pieces(...texts: readonly string[]) {
  yield* texts
}

/** Chains stand in the order in which they came. */
function sorted(save: string): string {
  return save.split('\n').sort().join('\n')
}
