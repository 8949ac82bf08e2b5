import { statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Folders, failingAt, HELPER } from './folders.ts'

// Installed, installed again, half installed, and gone: in real folders.

let folders: Folders
beforeEach(() => {
  folders = new Folders()
})
afterEach(() => folders.remove())

const OWN = {
  'bin/.switchyard/cni.js': 'cni',
  'bin/.switchyard/lib/libatomic.so.1': 'atomic',
  'bin/.switchyard/node': 'node',
  'bin/.switchyard/package.json': '{"type":"module"}\n',
  'bin/switchyard': HELPER,
}

describe('install', () => {
  test.each(['null', '[]', '{', '5'])('understands a record %j as an empty one', async record => {
    folders.write('bin/.switchyard/installed.json', record)
    folders.write('conf/10-pods.conflist', '{"name":"before"}')
    await folders.install(folders.plan(folders.configuration('{"name":"a"}')))
    await folders.uninstall()
    expect(folders.content()).toEqual({ 'conf/10-pods.conflist': '{"name":"before"}' })
  })

  test('removes what a killed install has left, once all is in place', async () => {
    await folders.install(folders.plan())
    folders.write('bin/switchyard.before-switchyard', HELPER)
    await folders.install(folders.plan())
    expect(folders.content()).toEqual(OWN)
  })

  test('puts the helper under its own name, and what it starts beside it', async () => {
    expect(await folders.install(folders.plan())).toEqual([`Installed ${folders.bin}/switchyard.`])
    expect(folders.content()).toEqual(OWN)
    expect(statSync(join(folders.bin, 'switchyard')).mode & 0o777).toBe(0o755)
  })

  test('leaves plugins of another make alone, unless it is to replace them; then it keeps them', async () => {
    folders.write('bin/bridge', 'reference bridge')
    await folders.install(folders.plan())
    expect(folders.content()).toEqual({ ...OWN, 'bin/bridge': 'reference bridge' })
    const done = await folders.install(folders.plan({ replacesStandard: true }))
    expect(done).toHaveLength(5)
    expect(done[0]).toBe(
      `Installed ${folders.bin}/bridge; the one that was there is kept as ${folders.bin}/.switchyard/replaced/bridge.`,
    )
    expect(folders.content()).toMatchObject({
      ...OWN,
      ...{ 'bin/bridge': HELPER, 'bin/loopback': HELPER, 'bin/.switchyard/replaced/bridge': 'reference bridge' },
    })
  })

  test('changes nothing the second time, and says so', async () => {
    folders.write('bin/bridge', 'reference bridge')
    const plan = folders.plan({ replacesStandard: true, ...folders.configuration('{}') })
    await folders.install(plan)
    const first = folders.content()
    expect(await folders.install(plan)).toEqual(['All of it was installed before, as it is.'])
    expect(folders.content()).toEqual(first)
  })

  test('brings a newer helper in the place of an older one of ours, and keeps no copy of that', async () => {
    await folders.install(folders.plan())
    folders.write('src/shim', `${HELPER} 2`)
    await folders.install(folders.plan())
    expect(folders.content()).toEqual({ ...OWN, 'bin/switchyard': `${HELPER} 2` })
  })

  test('asks whether the node can serve once the executables are there, and puts the configuration after that', async () => {
    const seen: string[][] = []
    const untilServed = async (): Promise<void> => void seen.push(Object.keys(folders.content()))
    await folders.install(folders.plan(folders.configuration('{"name":"a"}')), { untilServed })
    expect(seen).toEqual([Object.keys(OWN).sort()])
    expect(folders.content()).toMatchObject({ 'conf/10-pods.conflist': '{"name":"a"}' })
  })

  test('remembers a configuration by its whole path: it may be removed from another folder', async () => {
    const path = join(folders.conf, '10-pods.conflist')
    const [, line] = await folders.install(
      folders.plan({ configuration: { path: relative(process.cwd(), path), text: '{"name":"a"}' } }),
    )
    expect(line).toBe(`Installed ${path}.`)
    expect(Object.keys(JSON.parse(folders.content()['bin/.switchyard/installed.json']!))).toEqual([path])
  })

  test('says where runtimes take another configuration, whose name comes first', async () => {
    for (const name of ['10-flannel.conflist', '20-later.conf', '05-notes.txt']) folders.write(`conf/${name}`, '{}')
    expect((await folders.install(folders.plan(folders.configuration('{}')))).slice(1)).toEqual([
      `Installed ${folders.conf}/10-pods.conflist.`,
      'Runtimes take 10-flannel.conflist instead, whose name comes before it: remove that, or give this one an earlier name.',
    ])
  })

  test('leaves everything as it was where the node cannot serve', async () => {
    folders.write('bin/bridge', 'reference bridge')
    folders.write('conf/10-pods.conflist', '{"name":"before"}')
    const before = folders.content()
    const untilServed = () => Promise.reject(new Error('no daemon answers'))
    const plan = folders.plan({ replacesStandard: true, ...folders.configuration('{"name":"a"}') })
    await expect(folders.install(plan, { untilServed })).rejects.toThrow('no daemon answers')
    expect(folders.content()).toEqual(before)
  })

  test.each(['the first', 'a later'])(
    'leaves everything as it was, whichever change of %s install fails',
    async which => {
      folders.write('bin/bridge', 'reference bridge')
      folders.write('conf/10-pods.conflist', '{"name":"before"}')
      if (which === 'a later') {
        await folders.install(folders.plan({ replacesStandard: true, ...folders.configuration('{"name":"first"}') }))
        // Each of another make again, while what was there before us is kept.
        folders.write('bin/bridge', 'a newer reference bridge')
        folders.write('conf/10-pods.conflist', '{"name":"edited"}')
        folders.write('src/cni.js', 'newer cni')
      }
      const before = folders.content()
      const plan = folders.plan({ replacesStandard: true, ...folders.configuration('{"name":"a"}') })
      let number = 1
      for (; number < 40; number += 1) {
        const files = failingAt(number)
        const outcome = await folders.install(plan, { files }).then(
          () => 'done',
          () => 'failed',
        )
        if (outcome === 'done') break
        expect([number, folders.content()]).toEqual([number, before])
      }
      expect(number).toBeGreaterThan(which === 'a later' ? 8 : 12)
      expect(number).toBeLessThan(40)
    },
  )
})
