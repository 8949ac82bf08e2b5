import { describe, expect, test } from 'vitest'
import { listOfOne, parseNetworkList } from '#cni/runner/network-list.ts'

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
    [[''], '1.0.0'],
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
