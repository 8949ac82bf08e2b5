import { expect, test } from 'vitest'
import { lintFile } from '#cni/commands/lint-file.ts'
import type { CniSettings } from '#config/settings.ts'
import type { NamespaceNetwork, NetworkRoute } from '#system/network/network.ts'
import type { Cidr } from '#values/cidr.ts'
import { FakePlugin, outcome, PaperExecutables, paperMachine } from '../parts.ts'
import { PaperFiles } from '../runner/paper-files.ts'

const IPAM = { type: 'host-local', subnet: '10.22.0.0/16' }
const config = (name: string, more: object = {}) => ({
  cniVersion: '1.0.0',
  name,
  plugins: [{ type: 'bridge', bridge: name, isGateway: true, ipam: IPAM, ...more }],
})

const FILE = '/n/10-a.conflist'

function run(
  texts: Record<string, string | object>,
  settings: Partial<CniSettings> = {},
  {
    routes,
    operands = [FILE],
    input = '',
    installed = [],
    versions = {},
    files = new PaperFiles(texts),
  }: {
    files?: PaperFiles
    routes?: readonly NetworkRoute[]
    operands?: readonly string[]
    input?: string
    installed?: readonly string[]
    versions?: Readonly<Record<string, readonly string[]>>
  } = {},
) {
  const base: CniSettings = {
    ...{ binDirs: [], cacheDir: '/c', validAttachments: [], serviceRanges: [], output: 'text', database: '/d' },
    replaceStandardPlugins: false,
    ...settings,
  }
  const executables = new PaperExecutables()
  for (const path of installed) executables.install(path)
  for (const [path, supportedVersions] of Object.entries(versions))
    executables.install(path, outcome({ supportedVersions }))
  const machine = paperMachine(executables)
  const network = {
    routes: async (family: string) => (family === 'ipv4' ? (routes ?? []) : []),
    close: () => {},
  } as unknown as NamespaceNetwork
  const own = {
    plugins: [new FakePlugin('bridge'), new FakePlugin('host-local')],
    version: 'v1',
    machine: routes === undefined ? machine : { ...machine, networks: { open: async () => network } },
  }
  const parts = { own, files, input: async () => input, warn: () => {}, said: () => {} }
  return lintFile({ settings: base, operands, env: {} }, parts)
}

test('a file that is right exits with 0, also where this machine does not say its routes', async () => {
  expect(await run({ '/n/10-a.conflist': config('a') })).toEqual({
    text: '/n/10-a.conflist: nothing is wrong with it.',
    status: 0,
  })
})

test('a file is compared with the others in its folder, broken ones too, with routes and with the range of Services', async () => {
  const { text, status } = await run(
    {
      '/n/10-a.conflist': config('a'),
      '/n/20-b.conflist': JSON.stringify(config('b')).replace(/\}$/, ',}'),
      '/n/30-c.txt': config('c'),
      '/n/40-d.conf': '',
    },
    { serviceRanges: ['10.16.0.0/12' as Cidr] },
    {
      routes: [
        { destination: '0.0.0.0/0' as Cidr, link: 'eth0' },
        { destination: '10.22.3.0/24' as Cidr, link: 'tun0' },
        { destination: '10.22.0.0/16' as Cidr, link: 'a' },
        { destination: '10.22.0.0/16' as Cidr },
      ],
    },
  )
  expect(status).toBe(1)
  expect(text.split('\n')).toEqual([
    expect.stringContaining(
      ': error: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with 10.22.0.0/16 of network "b" (/n/20-b.conflist)',
    ),
    expect.stringContaining('overlaps with the range of Services, 10.16.0.0/12'),
    expect.stringContaining(
      'warning: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with a route of this node, 10.22.3.0/24 by tun0',
    ),
    expect.anything(),
  ])
})

test('a file beside it that may not be read stops nothing', async () => {
  class Guarded extends PaperFiles {
    override async read(path: string): Promise<string | undefined> {
      if (path === '/n/20-b.conflist') throw new Error('EACCES: permission denied')
      return super.read(path)
    }
  }
  const files = new Guarded({ [FILE]: config('a'), '/n/20-b.conflist': config('b') })
  expect((await run({}, {}, { files })).status).toBe(0)
  await expect(run({}, {}, { files, operands: ['/n/20-b.conflist'] })).rejects.toThrow('EACCES: permission denied')
})

test('warnings alone exit with 0', async () => {
  const { text, status } = await run({ '/n/10-a.conflist': config('a', { color: 'red' }) })
  expect([text, status]).toEqual([expect.stringContaining('0 errors, 1 warning'), 0])
})

test('JSON is for programs', async () => {
  const { text } = await run({ '/n/10-a.conflist': config('a', { mtu: 'x' }) }, { output: 'json' })
  expect(JSON.parse(text)).toMatchObject({
    files: [{ file: FILE, findings: [{ line: 1, path: 'plugins[0].mtu' }] }],
  })
})

test('a file that is not there is one clear line', async () => {
  await expect(run({})).rejects.toThrow('cni lint: there is no file "/n/10-a.conflist"')
})

test('a folder stands for all configurations in it, each beside the others', async () => {
  const texts = { [FILE]: config('a'), '/n/20-b.conflist': config('b'), '/n/README.md': '#' }
  const { text, status } = await run(texts, {}, { operands: ['/n'] })
  expect(status).toBe(1)
  expect(text.split('\n')).toEqual([
    expect.stringMatching(/^\/n\/10-a\.conflist:1:\d+: error: .* of network "b"/),
    expect.stringMatching(/^\/n\/20-b\.conflist:1:\d+: error: .* of network "a"/),
    '2 errors, 0 warnings',
  ])
  await expect(run({ '/n/x': '' }, {}, { operands: ['/n'] })).rejects.toThrow(
    'there is no .conflist, .conf or .json in "/n"',
  )
})

test('standard input is a configuration, too', async () => {
  const { text } = await run({}, {}, { operands: ['-'], input: '{' })
  expect(text).toContain('-:1:1: error: { is opened here and not closed; } is missing')
})

test.each<[readonly string[], readonly string[]]>([
  [['/b/bridge'], []],
  [[], ['plugins[0].type: there is no executable "bridge" in /a or /b, so no pod can be attached']],
])('plugins are looked for in the folders that are named: %j', async (installed, problems) => {
  const settings = { binDirs: ['/a', '/b'] }
  const { text } = await run({ [FILE]: config('a') }, { ...settings, output: 'json' }, { installed })
  const { files } = JSON.parse(text) as { files: [{ findings: { message: string }[] }] }
  expect(files[0].findings.map(({ message }) => message)).toEqual(problems)
})

test('a plugin of another make that refuses the version of the list is named, with the newest one that all have', async () => {
  const texts = { [FILE]: { ...config('a', { ipam: { type: 'other' } }), cniVersion: '1.1.0' } }
  const versions = { '/a/bridge': ['0.4.0', '1.0.0'], '/a/other': ['0.4.0', '1.0.0', '1.1.0'] }
  const { text, status } = await run(texts, { binDirs: ['/a'] }, { versions })
  expect(text).toContain(
    'plugins[0].type: /a/bridge has the versions 0.4.0, 1.0.0 and not 1.1.0, so no pod can be attached; write "cniVersion": "1.0.0"',
  )
  expect(text).not.toContain('plugins[0].ipam.type')
  expect(status).toBe(1)
  const none = await run(texts, { binDirs: ['/a'] }, { versions: { '/a/bridge': ['0.1.0'], '/a/other': ['1.1.0'] } })
  expect(none.text).toContain('no version suits all plugins')
})

test('an ipam plugin that is not ours needs its executable', async () => {
  const texts = { [FILE]: config('a', { ipam: { type: 'dhcp' } }) }
  const { text } = await run(texts, { binDirs: ['/a'] }, { installed: ['/a/bridge'] })
  expect(text).toContain('plugins[0].ipam.type: there is no executable "dhcp" in /a')
})
