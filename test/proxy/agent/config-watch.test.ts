import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { type ConfigWatchParts, differences, watchConfiguration } from '#proxy/agent/config-watch.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { watchFile } from '#system/watch-files.ts'
import { type CapturedLog, captureLog } from '../../support/captured-log.ts'

const HEADER = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'
const CONFIG = `${HEADER}mode: iptables\nclusterCIDR: 10.244.0.0/16\n`
const OTHER = `${HEADER}mode: nftables\nclusterCIDR: 10.244.0.0/16\n`
const UPDATED = "content of the proxy server's configuration file was updated"

let folder: string
let file: string
let heard: CapturedLog
let stop: AbortController

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-config-'))
  file = join(folder, 'config.conf')
  heard = captureLog()
  stop = new AbortController()
})

afterEach(async () => {
  stop.abort()
  await rm(folder, { recursive: true })
})

/** Watches with the configuration as it is now; resolves to why it ended. */
async function watched(more: Partial<ConfigWatchParts> = {}): Promise<{ readonly ended: Promise<string> }> {
  const argv = [`--config=${file}`]
  const parsed = await parseArguments('run', argv, readText)
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  const { configuration } = parsed
  const parts = { file, argv, configuration, log: heard.log, signal: stop.signal, readFile: readText, watchFile }
  const ended = watchConfiguration({ ...parts, clock: systemClock, ...more }).then(
    () => 'stopped',
    (error: Error) => error.message,
  )
  return { ended }
}

describe('a configuration file', () => {
  test.each([
    ['written in place', () => writeFile(file, OTHER)],
    ['replaced by another one', () => writeFile(`${file}.new`, OTHER).then(() => rename(`${file}.new`, file))],
    ['deleted and made anew', () => rm(file).then(() => writeFile(file, OTHER))],
  ])('that is %s ends the watch, and the log says what changed', async (_, change) => {
    await writeFile(file, CONFIG)
    const { ended } = await watched()
    await change()
    expect(await ended).toBe(UPDATED)
    const changed = heard.lines.filter(line => line.startsWith('"Configuration changed"'))
    expect(changed[0]).toBe('"Configuration changed" setting="iptables.minSyncPeriod" old="1s" new="0s"')
    expect(changed).toContain('"Configuration changed" setting="mode" old="iptables" new="nftables"')
    expect(changed).toContain('"Configuration changed" setting="nodePortAddresses" old=null new=["primary"]')
  })

  test('in a ConfigMap ends the watch when the link of the volume turns', async () => {
    const turn = async (revision: string, text: string) => {
      await mkdir(join(folder, revision))
      await writeFile(join(folder, revision, 'config.conf'), text)
      await symlink(revision, join(folder, '..data_tmp'))
      await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    }
    await turn('..1', CONFIG)
    await symlink('..data/config.conf', file)
    const { ended } = await watched()
    await turn('..2', CONFIG.replace('10.244', '10.245'))
    expect(await ended).toBe(UPDATED)
    expect(heard.lines).toEqual([
      '"Configuration changed" setting="clusterCIDR" old="10.244.0.0/16" new="10.245.0.0/16"',
    ])
  })

  test('that was changed between being read and being watched is noticed, too', async () => {
    await writeFile(file, CONFIG)
    const parsed = await parseArguments('run', [`--config=${file}`], readText)
    if (!parsed.ok) throw new Error('it must')
    await writeFile(file, OTHER)
    expect(await (await watched({ configuration: parsed.configuration })).ended).toBe(UPDATED)
  })
})

describe('without an end', () => {
  /** Time moves only with the test, and the file system reports no changes. */
  async function reading() {
    const clock = new PaperClock()
    const { ended } = await watched({ clock, watchFile: () => ({ aim: () => {}, close: () => {} }) })
    const asleep = () => expect.poll(() => clock.sleepers, { interval: 2 }).toBe(1)
    const read = async () => {
      await clock.advance(10_000)
      await asleep()
    }
    await asleep()
    return { ended, read, clock }
  }

  test('a touch, and text that changes no setting', async () => {
    await writeFile(file, CONFIG)
    const { ended, read } = await reading()
    await utimes(file, new Date(), new Date())
    await read()
    expect(heard.lines).toEqual([])
    await writeFile(file, `# a comment\n${CONFIG}`)
    await read()
    expect(heard.lines).toEqual([`"The configuration file was written, and every setting is as before" file="${file}"`])
    stop.abort()
    expect(await ended).toBe('stopped')
  })

  test('a file that cannot be used: all that is wrong is said once, and it ends when it is mended', async () => {
    await writeFile(file, CONFIG)
    const { ended, read, clock } = await reading()
    await writeFile(file, `${HEADER}mode: iptable\nclusterCIDR: 10.0.0.0/99\n`)
    await read()
    await read()
    expect(heard.lines).toHaveLength(1)
    expect(heard.lines[0]).toMatch(
      /cannot be used as it is now; going on with the settings in force.*iptable.*10\.0\.0\.0\/99/,
    )
    await rm(file)
    await read()
    expect(heard.lines).toHaveLength(2)
    expect(heard.lines[1]).toContain('there is no such file (ENOENT)')
    await writeFile(file, OTHER)
    await clock.advance(10_000)
    expect(await ended).toBe(UPDATED)
  })
})

test('settings are compared one by one, lists as a whole', () => {
  const before = { mode: 'iptables', a: { b: { c: 1 }, same: [1, 2] }, list: ['x'], gone: true }
  const after = {
    mode: 'iptables',
    a: { b: { c: 2 }, same: [1, 2] },
    list: ['x', 'y'],
    come: null,
    featureGates: { A: true },
  }
  expect(differences(before, after)).toEqual([
    { setting: 'a.b.c', before: 1, after: 2 },
    { setting: 'featureGates.A', before: null, after: true },
    { setting: 'gone', before: true, after: null },
    { setting: 'list', before: ['x'], after: ['x', 'y'] },
  ])
})
