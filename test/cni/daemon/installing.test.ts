import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CniCommandAnswer } from '#cni/commands/command.ts'
import { installing, uninstalling } from '#cni/daemon/installing.ts'
import { nodeMachine, PLUGINS } from '#cni/daemon/machine.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { plainFiles } from '#system/plain-files.ts'
import type { Clock } from '#system/ports.ts'
import { accepted } from '../../config/parsing.ts'
import { Folders } from '../install/folders.ts'

// What an operator may write behind `cni install` and `cni uninstall`; how files are placed is in cni/install, what becomes of
// host-local's leases in change-over.

let folders: Folders
beforeEach(() => {
  folders = new Folders()
})
afterEach(() => folders.remove())

type Run = (...args: readonly string[]) => Promise<CniCommandAnswer>

/** Words that begin with dashes are flags. */
function running(work: 'install' | 'uninstall'): Run {
  return async (...args) => {
    const [operands, flags] = [args.filter(word => !word.startsWith('-')), args.filter(word => word.startsWith('-'))]
    const argv = [work, `--database=${folders.root}/ipam.db`, ...flags]
    const { settings } = await accepted({ verb: 'cni', argv })
    const kernel = new PaperKernel()
    const machine = nodeMachine({ kernel, clock: hurried(), database: `${folders.root}/ipam.db` })
    const own = { plugins: PLUGINS, machine, version: 'v1' }
    const asked = { settings: settings.cni, operands }
    try {
      if (work === 'install') return await installing(asked, { own, files: plainFiles }, folders.sources)
      return await uninstalling(asked, { own }, async () => ['Removed 2 routes to other nodes.'])
    } finally {
      machine.close()
    }
  }
}

/** Moves when it is slept on. */
function hurried(): Clock {
  let now = 0
  return {
    now: () => now,
    sleep: async ms => {
      now += ms
    },
  }
}

const [install, uninstall] = [running('install'), running('uninstall')]
const bin = () => `--bin-dir=${folders.bin}`
const conf = () => `--conf-dir=${folders.conf}`
const LIST = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'ptp', ipam: { type: 'static' } }] }
const file = (name: string, text: string | object) =>
  folders.write(name, typeof text === 'string' ? text : JSON.stringify(text))

describe('cni install', () => {
  test('without a file places the executables, once and again', async () => {
    expect(await install(bin())).toEqual({ text: `Installed ${folders.bin}/switchyard.`, status: 0 })
    expect(await install(bin())).toEqual({ text: 'All of it was installed before, as it is.', status: 0 })
  })

  test('with a file places it under its name, once executables are there; no plugin of ours needs no daemon', async () => {
    const { text } = await install(file('10-a.conflist', LIST), bin(), conf())
    expect(text.split('\n')).toEqual([
      `Installed ${folders.bin}/switchyard.`,
      `Installed ${folders.conf}/10-a.conflist.`,
    ])
    expect(folders.content()['conf/10-a.conflist']).toBe(JSON.stringify(LIST))
  })

  test.each<[string, () => readonly string[], string]>([
    ['a folder without a file', () => [conf()], 'cni install: --conf-dir: FILE is missing'],
    [
      'a file without a folder',
      () => [file('a.conflist', LIST)],
      'cni install: --conf-dir is missing: the folder that',
    ],
    ['a file that is not there', () => ['/nowhere/a.conflist', conf()], '/nowhere/a.conflist: there is no such file'],
    ['a file of another name', () => [file('a.conf', LIST), conf()], 'the name of a list of plugins ends in .conflist'],
    ['a file that is no JSON', () => [file('a.conflist', 'x'), conf()], 'a.conflist: '],
    ['a list without plugins', () => [file('a.conflist', { ...LIST, plugins: [] }), conf()], 'a.conflist: '],
    ['two folders', () => ['--bin-dir=/elsewhere'], '--bin-dir: one folder is wanted here, not'],
    ['leases of a plugin that stays', () => ['--import=/var/lib/cni/networks'], '--import: without --replace-standard'],
  ])('refuses %s, and places nothing', async (_, args, says) => {
    await expect(install(bin(), ...args())).rejects.toThrow(says)
    expect(folders.content()).toEqual({})
  })

  test.each([
    ['program', '"npm run build" makes it'],
    ['helper', 'musl-gcc -static'],
  ] as const)('says how the %s is made where it is missing', async (what, says) => {
    rmSync(folders.sources[what])
    await expect(install(bin())).rejects.toThrow(says)
    expect(folders.content()).toEqual({})
  })

  test('of a file whose plugins ours is not serving leaves everything as it was', async () => {
    const ours = { ...LIST, plugins: [{ type: 'switchyard', ipam: { type: 'switchyard', subnet: '10.9.0.1/24' } }] }
    const before = folders.content()
    await expect(install(file('10-a.conflist', ours), bin(), conf())).rejects.toThrow('network "pods" is not ready')
    expect(folders.content()).toEqual(before)
  })
})

describe('cni uninstall', () => {
  test('takes away what was installed and what the daemon has laid, once and again', async () => {
    folders.write('bin/bridge', 'the reference')
    await install(bin(), '--replace-standard-plugins')
    const { text, status } = await uninstall(bin())
    expect([status, text.split('\n').at(-1)]).toEqual([0, 'Removed 2 routes to other nodes.'])
    expect(folders.content()).toEqual({ 'bin/bridge': 'the reference' })
    expect((await uninstall(bin())).text).toContain(`Nothing of Switchyard is installed in ${folders.bin}.`)
  })

  test('takes no operand, and one folder', async () => {
    await install(bin())
    const before = folders.content()
    await expect(uninstall('pods', bin())).rejects.toThrow('cni uninstall takes no operand, got "pods"')
    await expect(uninstall(bin(), '--bin-dir=/elsewhere')).rejects.toThrow('one folder is wanted here')
    expect(folders.content()).toEqual(before)
  })
})
