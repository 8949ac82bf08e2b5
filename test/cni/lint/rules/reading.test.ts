import { describe, expect, test } from 'vitest'
import { Findings } from '#cni/lint/finding.ts'
import type { ObjectNode } from '#cni/lint/json/node.ts'
import { readTolerantly } from '#cni/lint/json/reader.ts'
import { checkByReading } from '#cni/lint/rules/reading.ts'

interface Before {
  readonly path?: string
  /** Where an error, or a warning, has been named already. */
  readonly refused?: string
  readonly doubted?: string
}

/** `COLUMN PATH: MESSAGE` */
function found(
  config: object,
  type: string,
  { path = 'plugins[0]', refused, doubted }: Before = {},
): readonly string[] {
  const findings = new Findings()
  if (refused !== undefined) findings.refuse(0, refused, 'before')
  if (doubted !== undefined) findings.doubt(0, doubted, 'before')
  const text = JSON.stringify(config)
  checkByReading(readTolerantly(text).root as ObjectNode, type, { findings, path })
  return findings.all
    .filter(({ message }) => message !== 'before')
    .map(({ at, path: where, message }) => `${text.slice(at, at + 4)} ${where} ${message}`)
}

const TOO_SMALL = 'plugins[0].mtu: 5 is not a whole number from 68 to 65535'
const BOTH_MODES = 'cannot set hairpin mode and promiscuous mode at the same time'

describe('what a plugin of ours would refuse', () => {
  test('is named at its field', () => {
    expect(found({ type: 'bridge', mtu: 5 }, 'bridge')).toEqual([`5} plugins[0].mtu ${TOO_SMALL}`])
  })

  test('is named at the plugin where it is about several fields, or one that is not there', () => {
    const both = { hairpinMode: true, promiscMode: true }
    expect(found(both, 'bridge')).toEqual([`{"ha plugins[0] plugins[0]: ${BOTH_MODES}`])
    expect(found(both, 'bridge', { path: '' })).toEqual([`{"ha  ${BOTH_MODES}`])
  })

  test('is named at a key in other letters, which the plugin takes for its own', () => {
    expect(found({ MTU: 5 }, 'bridge')).toEqual([`5} plugins[0].MTU ${TOO_SMALL}`])
  })

  test('is not named a second time; a warning of its field is none of it', () => {
    expect(found({ mtu: 5 }, 'bridge', { refused: 'plugins[0].mtu' })).toEqual([])
    expect(found({ MTU: 5 }, 'bridge', { refused: 'plugins[0].MTU' })).toEqual([])
    expect(found({ mtu: 5 }, 'bridge', { doubted: 'plugins[0].mtu' })).toHaveLength(1)
  })

  test('is named at what it is missing from, where that is there', () => {
    const where = 'plugins[0].vlanTrunk[1].maxID'
    expect(found({ vlanTrunk: [{ id: 4 }, { minID: 5 }] }, 'bridge')).toEqual([
      `{"mi ${where} ${where}: minID and maxID should be configured simultaneously, maxID is missing`,
    ])
  })

  test('is all named at once', () => {
    expect(found({ mtu: 5, bridge: 'a b', vlan: 4095 }, 'bridge')).toHaveLength(3)
  })
})

test.each([
  [{ mtu: 5 }, 'switchyard', 1],
  [{ mtu: 5, plugin: '' }, 'switchyard', 1],
  [{ mtu: 5, plugin: null }, 'switchyard', 1],
  [{ mtu: 5, plugin: 'loopback' }, 'switchyard', 0],
  [{ mtu: 5, plugin: 'bridge' }, 'ptp', 0],
  [{ mtu: 5 }, 'constructor', 0],
])('%j is read as a plugin of ours where %s means one: %i problems', (config, type, count) => {
  expect(found(config, type)).toHaveLength(count)
})

test.each([
  [{ capabilities: { portMappings: true } }, 'portmap', 0],
  [{ capabilities: { portMappings: 'true' } }, 'portmap', 1],
  [{}, 'portmap', 1],
  [{ plugin: 'portmap' }, 'switchyard', 1],
  [{}, 'switchyard', 0],
])('%j of %s is without the capability that portmap needs: %i', (config, type, count) => {
  const sentence = 'plugins[0].capabilities: without {"portMappings": true} the runtime gives portmap no ports to map'
  expect(found(config, type).filter(line => line.endsWith(sentence))).toHaveLength(count)
})
