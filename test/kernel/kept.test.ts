import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { keepIn } from '#system/kept-files.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// An agent ends and another starts on what it left, on the real kernel, with files.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const OBJECTS = [
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
    await nowhere.save('belief-ipv4', 'text')
    expect(await nowhere.load('belief-ipv4')).toBeUndefined()
    const keep = keepIn(join(folder, 'new', 'folder'))
    await keep.save('belief-ipv4', 'text')
    expect(await readFile(join(folder, 'new', 'folder', 'belief-ipv4'), 'utf8')).toBe('text')
  })
})
