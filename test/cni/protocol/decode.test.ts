import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRequest } from '#cni/protocol/decode.ts'
import type { CniEnvironment } from '#cni/protocol/environment.ts'
import { CniError } from '#cni/protocol/error.ts'
import { printedResult } from '#cni/protocol/print.ts'
import type { CniCommand } from '#cni/protocol/request.ts'
import { CNI_VERSIONS } from '#cni/protocol/versions.ts'
import { variables } from '../requests.ts'
import { anyResult } from './results.ts'

const CONFIG = { cniVersion: '1.1.0', name: 'net1', type: 'bridge' }

function decoded(config: unknown, env: CniEnvironment = variables('ADD')) {
  return decodeRequest({ plugin: 'bridge', env, stdin: typeof config === 'string' ? config : JSON.stringify(config) })
}

function refused(config: unknown, env: CniEnvironment = variables('ADD')): readonly [number, string, string] {
  try {
    decoded(config, env)
  } catch (error) {
    if (error instanceof CniError) return [error.code, error.message, error.details]
    throw error
  }
  throw new Error('it was not refused')
}

test('any environment and any stdin are a request, or a CniError', () => {
  const word = fc.constantFrom('', 'ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'eth0', '/run/netns/x', 'A=1;B', '..', 'true')
  const names = ['COMMAND', 'CONTAINERID', 'NETNS', 'IFNAME', 'PATH', 'ARGS', 'NETNS_OVERRIDE'].map(
    name => `CNI_${name}`,
  )
  const env = fc.dictionary(fc.constantFrom(...names), fc.oneof(word, fc.string()))
  const stdin = fc.oneof(fc.json(), fc.string(), fc.constant(JSON.stringify(CONFIG)))
  fc.assert(
    fc.property(env, stdin, fc.boolean(), (some, text, isWhole) => {
      try {
        expect(decoded(text, isWhole ? { ...variables('ADD'), ...some } : some).config.name).toBeTypeOf('string')
      } catch (error) {
        expect(error).toBeInstanceOf(CniError)
      }
    }),
    { numRuns: 500 },
  )
})

describe('the configuration', () => {
  test.each<[unknown, number, string]>([
    ['', 6, 'error unmarshall network config: Unexpected end of JSON input'],
    ['[]', 6, 'error unmarshall network config: [] is not an object in braces'],
    [{ ...CONFIG, name: undefined }, 7, 'missing network name'],
    [{ ...CONFIG, name: 'a b' }, 7, 'invalid characters found in network name'],
    [{ ...CONFIG, name: 5 }, 7, 'name: 5 is not a text in quotes'],
    [{ ...CONFIG, cniVersion: 1 }, 7, 'cniVersion: 1 is not a text in quotes'],
    [{ ...CONFIG, cniVersion: '9.0.0' }, 1, 'incompatible CNI versions'],
    [{ ...CONFIG, cniVersion: '0.4' }, 1, 'incompatible CNI versions'],
    [{ ...CONFIG, ipam: 'host-local' }, 7, 'ipam: "host-local" is not an object in braces'],
    [{ ...CONFIG, dns: { search: [1] } }, 7, 'dns.search[0]: 1 is not a text in quotes'],
    [
      { ...CONFIG, ipam: [], prevResult: { ips: 5 } },
      7,
      'ipam: [] is not an object in braces; prevResult.ips: 5 is not a list in brackets',
    ],
  ])('%j is answered with %i: %s', (config, code, message) => {
    expect(refused(config).slice(0, 2)).toEqual([code, message])
  })

  test('of another version shows both sides', () => {
    expect(refused({ ...CONFIG, cniVersion: '9.0.0' })[2]).toBe(
      'config is "9.0.0", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]',
    )
  })

  test.each<[CniCommand, string, string]>([
    ['CHECK', '0.3.1', '0.4.0'],
    ['GC', '1.0.0', '1.1.0'],
    ['STATUS', '1.0.0', '1.1.0'],
  ])('of a version before %s existed refuses it', (command, before, since) => {
    const [code, message] = refused({ ...CONFIG, cniVersion: before }, variables(command))
    expect([code, message]).toEqual([1, `config version does not allow ${command}`])
    expect(decoded({ ...CONFIG, cniVersion: since }, variables(command)).command).toBe(command)
  })

  test.each([undefined, '', null])('with %j as its version is one of 0.1.0', cniVersion => {
    expect(decoded({ ...CONFIG, cniVersion }).config.cniVersion).toBe('0.1.0')
  })

  test('is understood where its keys differ in case, as Go programs do', () => {
    expect(decoded({ CNIVersion: '0.4.0', NAME: 'net1', Type: 'x' }).config).toMatchObject({
      cniVersion: '0.4.0',
      name: 'net1',
      type: 'x',
    })
  })

  test('of a DEL may have a previous result that cannot be understood', () => {
    const config = { ...CONFIG, prevResult: { ips: [{ address: 'x' }] } }
    expect(decoded(config, variables('DEL')).config.prevResult).toBeUndefined()
    expect(refused(config, variables('CHECK'))[0]).toBe(7)
  })

  test('of a DEL may have DNS settings and a type that cannot be understood', () => {
    const config = { ...CONFIG, dns: 5, type: 5 }
    expect(decoded(config, variables('DEL')).config).toMatchObject({ dns: {}, type: 'bridge' })
    expect(refused(config)[1]).toBe('type: 5 is not a text in quotes; dns: 5 is not an object in braces')
  })

  test.each(CNI_VERSIONS)('has the previous result that a plugin of version %s printed', cniVersion => {
    fc.assert(
      fc.property(anyResult(cniVersion), result => {
        const prevResult: unknown = JSON.parse(printedResult(result, cniVersion))
        expect(decoded({ ...CONFIG, cniVersion, prevResult }).config.prevResult).toEqual(result)
      }),
      { numRuns: 20 },
    )
  })

  test('of a GC knows a missing list from an empty one', () => {
    const key = 'cni.dev/valid-attachments'
    expect(decoded(CONFIG, variables('GC')).config.validAttachments).toBeUndefined()
    expect(decoded({ ...CONFIG, [key]: [] }, variables('GC')).config.validAttachments).toEqual([])
    const one = { containerID: 'c1', ifname: 'eth0' }
    expect(decoded({ ...CONFIG, [key]: [one] }, variables('GC')).config.validAttachments).toEqual([
      { container: 'c1', ifname: 'eth0' },
    ])
    expect(decoded({ ...CONFIG, 'cni.dev/attachments': [one] }, variables('GC')).config.validAttachments).toHaveLength(
      1,
    )
    expect(
      decoded({ ...CONFIG, [key]: [], 'cni.dev/attachments': [one] }, variables('GC')).config.validAttachments,
    ).toEqual([])
    expect(refused({ ...CONFIG, [key]: [one, {}] }, variables('GC'))[0]).toBe(7)
    expect(refused({ ...CONFIG, [key]: {} }, variables('GC'))[0]).toBe(7)
  })
})
