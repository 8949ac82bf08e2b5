import { describe, expect, test } from 'vitest'
import { findNetwork } from '#cni/runner/network-files.ts'
import { listOfOne, parseNetworkList } from '#cni/runner/network-list.ts'
import { PaperFiles } from './paper-files.ts'

const LIST = { cniVersion: '1.0.0', name: 'net1', plugins: [{ type: 'bridge' }] }
const parse = (more: object) => parseNetworkList(JSON.stringify({ ...LIST, ...more }))

describe('a list of plugins', () => {
  test('is a network', () => {
    expect(parse({ disableCheck: 'True', disableGC: true })).toMatchObject({
      name: 'net1',
      cniVersion: '1.0.0',
      disableCheck: true,
      disableGC: true,
      loadOnlyInlinedPlugins: false,
      plugins: [{ type: 'bridge' }],
    })
  })

  test.each([
    [['0.4.0', '1.1.0'], '1.1.0'],
    [['0.4.0', '0.3.1'], '1.0.0'],
    [['1.1.0', '2.0.0', '1.10.0'], '1.1.0'],
    [[], '1.0.0'],
  ])('with cniVersions %j has the newest version that is known: %s', (cniVersions, version) => {
    expect(parse({ cniVersions }).cniVersion).toBe(version)
  })

  test('whose versions are all newer keeps its own, for the plugins to refuse', () => {
    expect(parse({ cniVersion: '2.0.0', cniVersions: ['2.1.0'] }).cniVersion).toBe('2.0.0')
  })

  test('of one plugin has its name and version', () => {
    expect(listOfOne({ type: 'bridge', name: 'single', cniVersion: '0.3.1' })).toMatchObject({
      name: 'single',
      cniVersion: '0.3.1',
      plugins: [{ type: 'bridge', name: 'single', cniVersion: '0.3.1' }],
    })
  })

  test.each<[object, string]>([
    [{ name: undefined }, 'name is missing; a network is asked for by it'],
    [{ name: 5 }, 'name: 5 is not a text in quotes'],
    [{ cniVersion: 1 }, 'cniVersion: 1 is not a text in quotes'],
    [{ cniVersions: '1.0.0' }, 'cniVersions: "1.0.0" is not a list in brackets'],
    [{ cniVersions: ['x'] }, 'cniVersions[0]: "x" is not a version such as "1.1.0"'],
    [{ plugins: {} }, 'plugins: {} is not a list with at least one plugin'],
    [{ plugins: [] }, 'plugins: [] is not a list with at least one plugin'],
    [{ plugins: ['bridge'] }, 'plugins[0]: "bridge" is not an object in braces'],
    [{ plugins: [{}] }, 'plugins[0].type is missing; it names the plugin'],
    [{ plugins: [{ type: 5 }] }, 'plugins[0].type: 5 is not a text in quotes'],
    [{ disableCheck: 1 }, 'disableCheck: 1 is not true or false'],
    [
      { plugins: undefined, loadOnlyInlinedPlugins: true },
      'plugins is missing, and with loadOnlyInlinedPlugins there can be none elsewhere',
    ],
  ])('with %j is refused: %s', (more, message) => {
    expect(() => parse(more)).toThrow(message)
  })
})

describe('a network is found', () => {
  test('in a list before a single configuration, each in the order of names', async () => {
    const files = new PaperFiles({
      '/etc/cni/net.d/00-a.conf': { ...LIST, type: 'single' },
      '/etc/cni/net.d/30-c.conflist': { ...LIST, cniVersion: '0.4.0' },
      '/etc/cni/net.d/20-b.conflist': LIST,
      '/etc/cni/net.d/10-x.conflist': { ...LIST, name: 'other' },
    })
    expect(await findNetwork(files, '/etc/cni/net.d', 'net1')).toMatchObject({
      file: '/etc/cni/net.d/20-b.conflist',
      network: { cniVersion: '1.0.0' },
      problems: [],
    })
  })

  test('in a single configuration', async () => {
    const files = new PaperFiles({ '/n/10.json': { cniVersion: '0.3.1', name: 'net1', type: 'bridge' } })
    expect((await findNetwork(files, '/n', 'net1')).network.plugins).toHaveLength(1)
  })

  test('with the plugins that stand in its folder, unless it has all of them in itself', async () => {
    const files = new PaperFiles({
      '/n/10.conflist': LIST,
      '/n/net1/20.conf': { type: 'tuning' },
      '/n/net1/10.conf': { type: 'portmap' },
      '/n/net1/30.json': { type: 'ignored' },
    })
    const types = async () => (await findNetwork(files, '/n', 'net1')).network.plugins.map(({ type }) => type)
    expect(await types()).toEqual(['bridge', 'portmap', 'tuning'])
    files.texts.set('/n/10.conflist', JSON.stringify({ ...LIST, loadOnlyInlinedPlugins: true }))
    expect(await types()).toEqual(['bridge'])
  })

  test('though another file is broken, which is said', async () => {
    const files = new PaperFiles({ '/n/00.conflist': '{', '/n/10.conflist': LIST })
    const { problems } = await findNetwork(files, '/n', 'net1')
    expect(problems).toEqual([expect.stringMatching(/^\/n\/00\.conflist: not JSON: /)])
  })

  test('or the networks there are named', async () => {
    const files = new PaperFiles({ '/n/10.conflist': LIST, '/n/20.conf': '{}' })
    await expect(findNetwork(files, '/n', 'nte1')).rejects.toThrow(
      'no net configuration with name "nte1" in /n; it has "net1"\n/n/20.conf: type is missing; it names the plugin',
    )
    await expect(findNetwork(files, '/none', 'x')).rejects.toThrow('in /none; there is no network in it')
  })
})
