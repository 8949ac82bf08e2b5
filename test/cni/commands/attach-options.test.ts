import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { attachmentOf, folderOf, pluginFolders, validOf } from '#cni/commands/attach-options.ts'
import type { CniSettings } from '#config/settings.ts'

const SETTINGS: CniSettings = {
  ...{ binDirs: [], cacheDir: '/c', validAttachments: [], serviceRanges: [], output: 'text', database: '/d' },
  replaceStandardPlugins: false,
}

const asked = (settings: Partial<CniSettings> = {}, env: Readonly<Record<string, string>> = {}) => ({
  ...{ settings: { ...SETTINGS, ...settings }, operands: [], env },
})

test('what neither flags nor variables say is as container runtimes have it', () => {
  expect([folderOf(asked()), pluginFolders(asked()), validOf(asked())]).toEqual([
    '/etc/cni/net.d',
    ['/opt/cni/bin'],
    undefined,
  ])
  expect(attachmentOf('/n', asked())).toMatchObject({ ifname: 'eth0', netns: '/n', args: [], capabilities: {} })
})

test('a variable that is empty says nothing, and a flag says more than a variable', () => {
  const empty = { NETCONFPATH: '', CNI_PATH: ':', CNI_IFNAME: '', CNI_ARGS: ';', CAP_ARGS: '' }
  expect([folderOf(asked({}, empty)), pluginFolders(asked({}, empty))]).toEqual(['/etc/cni/net.d', ['/opt/cni/bin']])
  expect(attachmentOf('/n', asked({}, empty))).toEqual(attachmentOf('/n', asked()))
  const full = { NETCONFPATH: '/a', CNI_PATH: '/b::/a', CNI_IFNAME: 'e1', CNI_ARGS: 'bad', CAP_ARGS: 'bad' }
  expect([folderOf(asked({}, full)), pluginFolders(asked({}, full))]).toEqual(['/a', ['/b', '/a']])
  const flags = { confDir: '/f', binDirs: ['/g'], ifname: 'e2', args: '', capabilityArgs: '', containerId: 'c' }
  expect([folderOf(asked(flags, full)), pluginFolders(asked(flags, full))]).toEqual(['/f', ['/g']])
  expect(attachmentOf('/n', asked(flags, full))).toEqual({
    ...{ container: 'c', ifname: 'e2', netns: '/n', args: [], capabilities: {} },
  })
})

test.each([
  ['pod1', '/run/netns/pod1'],
  ['/run/netns/../x', '/run/x'],
  ['./pod1', `${process.cwd()}/pod1`],
  ['', ''],
])('the namespace %j is %j, and the container has its name from that, as cnitool gives it', (given, netns) => {
  const container = `cnitool-${hash('sha512', netns).slice(0, 20)}`
  expect(attachmentOf(given, asked())).toMatchObject({ netns, container })
})

describe('arguments', () => {
  test('keep their order, and all that is behind the first equals sign', () => {
    expect(attachmentOf('/n', asked({ args: 'B=1;A=x=y;;A=' })).args).toEqual([
      ['B', '1'],
      ['A', 'x=y'],
      ['A', ''],
    ])
  })

  test.each([
    [{ args: 'A=1;=2' }, {}, '--args: "=2" is not like KEY=VALUE'],
    [{}, { CNI_ARGS: 'A' }, 'CNI_ARGS: "A" is not like KEY=VALUE'],
    [{ args: 'A' }, { CNI_ARGS: 'A=1' }, '--args: "A" is not like KEY=VALUE'],
  ])('of %j and %j are refused with where they come from', (settings, env, message) => {
    expect(() => attachmentOf('/n', asked(settings, env))).toThrow(message)
  })
})

test.each([
  [{ capabilityArgs: '{"a": }' }, {}, /^--capability-args: "\{\\"a\\": \}" must be JSON such as .*: Unexpected token/],
  [{ capabilityArgs: 'null' }, {}, /^--capability-args: "null" must be JSON such as .*: it is no object in braces$/],
  [{}, { CAP_ARGS: '[]' }, /^CAP_ARGS: "\[\]" must be JSON such as /],
])('capabilities of %j and %j are refused with what would be right', (settings, env, message) => {
  expect(() => attachmentOf('/n', asked(settings, env))).toThrow(message)
})

describe('valid attachments', () => {
  test('are those that are named, or none, which is not the same as not to say', () => {
    expect(validOf(asked({ validAttachments: ['c1/eth0', 'c1/eth1'] }))).toEqual([
      { container: 'c1', ifname: 'eth0' },
      { container: 'c1', ifname: 'eth1' },
    ])
    expect(validOf(asked({ validAttachments: ['none'] }))).toEqual([])
  })

  test.each([['c1'], ['/eth0'], ['c1/'], ['c1/eth0/x'], [''], ['none', 'c1/eth0'], ['c1/eth0', 'none']])(
    '%j: a word that is not understood would take addresses from containers that live',
    (...validAttachments) => {
      expect(() => validOf(asked({ validAttachments }))).toThrow(
        /^--valid-attachments: ".*" is not like CONTAINER\/IFNAME/,
      )
    },
  )
})
