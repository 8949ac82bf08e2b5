import { readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Folders, failingAt, HELPER } from './folders.ts'

let folders: Folders
beforeEach(() => {
  folders = new Folders()
})
afterEach(() => folders.remove())

describe('uninstall', () => {
  test('puts everything back as it was before any install, whatever came meanwhile', async () => {
    folders.write('bin/bridge', 'reference bridge')
    folders.write('bin/flannel', 'flannel')
    folders.write('conf/10-pods.conflist', '{"name":"before"}')
    const before = folders.content()
    await folders.install(folders.plan({ replacesStandard: true, ...folders.configuration('{"name":"a"}') }))
    await folders.install(folders.plan(folders.configuration('{"name":"b"}')))
    const done = await folders.uninstall()
    expect(done.slice(0, 3)).toEqual([
      `Put back ${folders.conf}/10-pods.conflist.`,
      `Removed ${folders.bin}/switchyard.`,
      `Put back ${folders.bin}/bridge.`,
    ])
    expect(folders.content()).toEqual(before)
  })

  test('leaves a configuration that was changed since, and a plugin that another program has put there', async () => {
    await folders.install(folders.plan({ replacesStandard: true, ...folders.configuration('{"name":"a"}') }))
    folders.write('conf/10-pods.conflist', '{"name":"edited"}')
    folders.write('bin/bridge', 'a newer reference bridge')
    expect(await folders.uninstall()).toContain(
      `Left ${folders.conf}/10-pods.conflist: it was changed after it was installed.`,
    )
    expect(folders.content()).toEqual({
      'bin/bridge': 'a newer reference bridge',
      'conf/10-pods.conflist': '{"name":"edited"}',
    })
  })

  test('says where there is nothing to remove', async () => {
    expect(await folders.uninstall()).toEqual([`Nothing of Switchyard is installed in ${folders.bin}.`])
  })

  test('puts back links, as folders have them whose plugins are one program', async () => {
    folders.write('bin/cni', 'all plugins of another make')
    const links = { bridge: 'cni', portmap: join(folders.bin, 'cni'), loopback: 'nowhere' }
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folders.bin, name))
    await folders.install(folders.plan({ replacesStandard: true }))
    await folders.install(folders.plan({ replacesStandard: true }))
    expect(folders.content()).toMatchObject({ 'bin/bridge': HELPER, 'bin/cni': 'all plugins of another make' })
    const done = await folders.uninstall()
    for (const [name, target] of Object.entries(links)) {
      expect(readlinkSync(join(folders.bin, name))).toBe(target)
      expect(done).toContain(`Put back ${folders.bin}/${name}.`)
    }
    expect(folders.content()).toEqual({ 'bin/cni': 'all plugins of another make' })
  })

  test('puts back a plugin of another make where ours was removed by hand', async () => {
    folders.write('bin/bridge', 'reference bridge')
    await folders.install(folders.plan({ replacesStandard: true }))
    rmSync(join(folders.bin, 'bridge'))
    expect(await folders.uninstall()).toContain(`Put back ${folders.bin}/bridge.`)
    expect(folders.content()).toEqual({ 'bin/bridge': 'reference bridge' })
  })

  test('names a configuration that it keeps, where ours was changed or removed by hand', async () => {
    const path = join(folders.conf, '10-pods.conflist')
    for (const change of ['edited', 'removed']) {
      folders.write('conf/10-pods.conflist', '{"name":"before"}')
      await folders.install(folders.plan(folders.configuration('{"name":"a"}')))
      if (change === 'edited') folders.write('conf/10-pods.conflist', '{"name":"edited"}')
      else rmSync(path)
      const [line] = await folders.uninstall()
      expect(line).toBe(
        change === 'edited'
          ? `Left ${path}: it was changed after it was installed; what it replaced is ${path}.replaced-by-switchyard.`
          : `Left ${path}.replaced-by-switchyard: ${path}, which replaced it, was removed after it was installed.`,
      )
    }
  })
})

/** What stands under a name, and what is kept of it: `ours` stands for any of ours. */
interface Place {
  now: string | undefined
  kept: string | undefined
}

test('whatever others do between installs that end or fail, nothing of theirs is lost and nothing of ours stays', async () => {
  const text = fc.constantFrom('{"name":"x"}', '{"name":"y"}')
  const step = fc.oneof(
    fc.record({ does: fc.constantFrom('install' as const, 'replace' as const), text }),
    fc.record({ does: fc.constant('fail' as const), text, at: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ does: fc.constantFrom('upgrade' as const, 'edit' as const), text: fc.constantFrom('1', '2', '3') }),
    fc.record({ does: fc.constantFrom('remove plugin' as const, 'remove configuration' as const) }),
    fc.record({ does: fc.constant('uninstall' as const) }),
  )
  const paths = { plugin: 'bin/bridge', conf: 'conf/10-pods.conflist' }
  const keptPaths = { plugin: 'bin/.switchyard/replaced/bridge', conf: `${paths.conf}.replaced-by-switchyard` }

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async steps => {
      const own = new Folders()
      const places: Record<'plugin' | 'conf', Place> = {
        plugin: { now: undefined, kept: undefined },
        conf: { now: undefined, kept: undefined },
      }
      const put = (place: Place): void => {
        if (place.now !== undefined && place.now !== 'ours') place.kept = place.now
        place.now = 'ours'
      }
      const giveBack = (place: Place): void => {
        place.now = place.kept
        place.kept = undefined
      }
      try {
        for (const one of [...steps, { does: 'uninstall' as const }]) {
          const { plugin, conf } = places
          const plan = (replacesStandard: boolean) =>
            own.plan({ replacesStandard, ...own.configuration('text' in one ? one.text : '') })
          if (one.does === 'install' || one.does === 'replace') {
            await own.install(plan(one.does === 'replace'))
            // One that is ours stays ours.
            if (one.does === 'replace') put(plugin)
            put(conf)
          } else if (one.does === 'fail') {
            const before = own.content()
            const ended = await own.install(plan(true), { files: failingAt(one.at) }).catch(() => undefined)
            if (ended === undefined) expect(own.content()).toEqual(before)
            else for (const place of [plugin, conf]) put(place)
          } else if (one.does === 'upgrade') {
            own.write(paths.plugin, `bridge ${one.text}`)
            plugin.now = `bridge ${one.text}`
          } else if (one.does === 'edit') {
            own.write(paths.conf, `{"edited": ${one.text}}`)
            conf.now = `{"edited": ${one.text}}`
          } else if (one.does === 'remove plugin' || one.does === 'remove configuration') {
            const name = one.does === 'remove plugin' ? 'plugin' : 'conf'
            rmSync(join(own.root, paths[name]), { force: true })
            places[name].now = undefined
          } else {
            await own.uninstall()
            if (plugin.now === 'ours' || plugin.now === undefined) giveBack(plugin)
            if (conf.now === 'ours') giveBack(conf)
            expect(
              Object.values(own.content()).filter(content => content === HELPER || content.includes('"name"')),
            ).toEqual([])
          }
          const content = own.content()
          for (const name of ['plugin', 'conf'] as const) {
            const seen = content[paths[name]]
            const isOurs = seen === HELPER || seen?.includes('"name"')
            expect([name, isOurs ? 'ours' : seen, content[keptPaths[name]]]).toEqual([
              name,
              places[name].now,
              places[name].kept,
            ])
          }
        }
      } finally {
        own.remove()
      }
    }),
    { numRuns: 40 },
  )
})
