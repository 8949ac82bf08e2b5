import { describe, expect, test } from 'vitest'
import { found, list, single } from '../configurations.ts'

describe('a network', () => {
  test.each<[object | string, string]>([
    ['[]', 'error: [] is not a configuration; an object in braces is wanted'],
    [list({}, { name: undefined }), 'error: name is missing; it is the name of the network, such as "mynet"'],
    [
      list({}, { name: 'my net' }),
      'error: name: "my net" is not the name of a network: letters, digits, "_", "." and "-", and a letter or digit first',
    ],
    [list({}, { name: null }), 'error: name: null is not a text in quotes'],
    [list({}, { name: 5 }), 'error: name: 5 is not a text; write "5"'],
    [list({}, { cniVersion: '1.0' }), 'error: cniVersion: "1.0" is no version up to 1.1.0; did you mean "1.0.0"?'],
    [list({}, { cniVersion: '0.3' }), 'error: cniVersion: "0.3" is no version up to 1.1.0; did you mean "0.3.1"?'],
    [
      list({}, { cniVersion: 'latest' }),
      'error: cniVersion: "latest" is no version up to 1.1.0; the versions are 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0',
    ],
    [
      list({}, { cniVersion: undefined }),
      'warning: cniVersion is missing, so it is 0.1.0, which has no CHECK and one address a family; write "cniVersion": "1.0.0"',
    ],
    [list({}, { cniVersion: 1 }), 'error: cniVersion: 1 is not a text; write "1"'],
    [list({}, { cniVersion: { toString: 1 } }), 'error: cniVersion: {"toString":1} is not a text in quotes'],
    [list({}, { cniVersion: null }), 'error: cniVersion: null is not a text in quotes'],
    [list({}, { cniVersions: null }), 'error: cniVersions: null is not a list; write it in brackets, as [...]'],
    [list({}, { disableGC: 1 }), 'error: disableGC: 1 is not true or false; write true, without quotes'],
    [
      list({}, { disableCheck: null }),
      'error: disableCheck: null is not true or false; write true or false, without quotes',
    ],
    [list({}, { cniVersions: [1] }), 'error: cniVersions[0]: 1 is not a text; write "1"'],
    [
      list({}, { cniVersions: ['1.0.0', '9'] }),
      'error: cniVersions[1]: "9" is no version up to 1.1.0; the versions are 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0',
    ],
    [list({}, { plugins: [] }), 'error: plugins: [] has no plugin in it'],
    [list({}, { plugins: null }), 'error: plugins: null is not a list; write it in brackets, as [...]'],
    [list({}, { plugins: {} }), 'error: plugins: {} is not a list; write it in brackets, as [{...}]'],
    [list({}, { plugins: ['bridge'] }), 'error: plugins[0]: "bridge" is not an object in braces'],
    [list({}, { plugin: [] }), 'error: plugin is no key of a list of plugins; it belongs to a plugin, in "plugins"'],
    [
      list({}, { isGateway: true }),
      'error: isGateway is no key of a list of plugins; it belongs to a plugin, in "plugins"',
    ],
    [list({}, { disablecheck: true }), 'error: disablecheck is no key; write disableCheck'],
    [list({}, { color: 1 }), 'warning: color is no key of a list of plugins; it is passed over'],
    [
      single({}),
      'error: plugins is missing: a .conflist has a list of plugins; write "plugins": [{"type": ...}], or name the file .conf',
    ],
  ])('%j: %s', (config, sentence) => {
    expect(found(config)).toEqual([sentence])
  })

  test('of a single plugin may have null for what is not there', () => {
    expect(found(single({ name: null, cniVersion: null }), { file: 'a.conf' })).toEqual([
      'error: name is missing; it is the name of the network, such as "mynet"',
      expect.stringMatching(/^warning: cniVersion is missing/),
    ])
    expect(found(list({}, { disableCheck: 'True' }))).toEqual([])
  })

  test('stands in a file whose ending says whether it is a list', () => {
    expect(found(list({}), { file: 'a/net.conf' })).toEqual([
      'error: plugins: a list of plugins is read from files that end with .conflist; rename the file',
    ])
    expect(found(single({ cniVersion: '1.0.0' }), { file: 'net.json' })[0]).toMatch(
      /^warning: cniVersion: since 1\.0\.0 a network is a list of plugins/,
    )
  })
})
