import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CniEnvironment, readEnvironment, refuseUnknownArgs } from '#cni/protocol/environment.ts'
import { CniError } from '#cni/protocol/error.ts'
import type { CniCommand } from '#cni/protocol/request.ts'
import { variables } from '../requests.ts'

const ALL = ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH']

function refused(env: CniEnvironment): readonly [number, string, string] {
  try {
    readEnvironment(env)
  } catch (error) {
    if (error instanceof CniError) return [error.code, error.message, error.details]
    throw error
  }
  throw new Error('it was not refused')
}

describe('the environment', () => {
  test.each<[CniCommand, readonly string[]]>([
    ['ADD', ALL],
    ['CHECK', ALL],
    ['DEL', ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_PATH']],
    ['GC', ['CNI_PATH']],
    ['STATUS', ['CNI_PATH']],
  ])('of %s must have %j', (command, names) => {
    const [code, message] = refused({ CNI_COMMAND: command, CNI_NETNS: '' })
    expect([code, message]).toEqual([4, `required env variables [${names.join(',')}] missing`])
  })

  test.each([
    ['CNI_CONTAINERID', '../x', 'invalid characters in containerID'],
    ['CNI_CONTAINERID', '-x', 'invalid characters in containerID'],
    ['CNI_IFNAME', 'sixteen-letters0', 'interface name is too long'],
    ['CNI_IFNAME', 'ééééééé0', undefined],
    ['CNI_IFNAME', 'éééééééé', 'interface name is too long'],
    ['CNI_IFNAME', '..', 'interface name is . or ..'],
    ['CNI_IFNAME', 'a/b', 'interface name contains / or : or whitespace characters'],
    ['CNI_IFNAME', 'a b', 'interface name contains / or : or whitespace characters'],
    ['CNI_IFNAME', 'a:b', 'interface name contains / or : or whitespace characters'],
  ])('with %s=%s is answered with: %s', (name, value, message) => {
    const env = variables('ADD', { [name]: value })
    if (message === undefined) expect(readEnvironment(env).ifname).toBe(value)
    else expect(refused(env).slice(0, 2)).toEqual([4, message])
  })

  test('with a command that is none names the right ones', () => {
    expect(refused({ CNI_COMMAND: 'FOO' })).toEqual([
      4,
      'unknown CNI_COMMAND: FOO',
      'the commands are ADD, DEL, CHECK, STATUS, GC, VERSION',
    ])
    expect(refused({ CNI_COMMAND: 'add' })[2]).toBe('commands are in capitals: ADD')
  })

  test('may leave out the namespace of a DEL', () => {
    expect(readEnvironment(variables('DEL', { CNI_NETNS: '' })).netns).toBeUndefined()
  })

  test('gives arguments as pairs, in which the value may hold an equals sign', () => {
    const env = variables('ADD', { CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web;A=b=c;' })
    expect([...readEnvironment(env).args]).toEqual([
      ['IgnoreUnknown', '1'],
      ['K8S_POD_NAME', 'web'],
      ['A', 'b=c'],
    ])
  })

  test.each(['IP', '=10.0.0.5', 'A=1;=', ' '])(
    'with an argument that is no pair stops an ADD and not a DEL: %j',
    text => {
      const pair = JSON.stringify(text.split(';').at(-1))
      expect(refused(variables('ADD', { CNI_ARGS: text })).slice(0, 2)).toEqual([4, `ARGS: invalid pair ${pair}`])
      expect([...readEnvironment(variables('DEL', { CNI_ARGS: `${text};B=1` })).args].at(-1)).toEqual(['B', '1'])
    },
  )

  test('with arguments a plugin does not know is refused, unless the runtime says to ignore them', () => {
    const args = new Map([
      ['IP', '10.0.0.5'],
      ['FOO', '1'],
    ])
    expect(() => refuseUnknownArgs(args, ['IP'])).toThrow('ARGS: unknown args ["FOO=1"]')
    expect(() => refuseUnknownArgs(new Map([...args, ['IgnoreUnknown', 'true']]), ['IP'])).not.toThrow()
  })

  test.each([
    ['1', 'allowed'],
    ['True', 'allowed'],
    ['0', undefined],
    ['', undefined],
  ])('with CNI_NETNS_OVERRIDE=%s has the node’s own namespace %s', (value, allowed) => {
    expect(readEnvironment(variables('ADD', { CNI_NETNS_OVERRIDE: value })).ownNamespace).toBe(allowed)
  })

  test('of a GC and a STATUS has no container, whatever the variables say', () => {
    for (const command of ['GC', 'STATUS'] as const) {
      const { container, ifname } = readEnvironment(variables(command, { CNI_CONTAINERID: '../x', CNI_IFNAME: 'a b' }))
      expect([container, ifname]).toEqual(['', ''])
    }
  })

  test('of a VERSION needs nothing else', () => {
    expect(readEnvironment({ CNI_COMMAND: 'VERSION' }).command).toBe('VERSION')
  })

  test('without a command names all that a command may need', () => {
    expect(refused({})).toEqual([4, `required env variables [CNI_COMMAND,${ALL.join(',')}] missing`, ''])
  })

  test('has the folders of plugins in their order, empty ones left out', () => {
    expect(readEnvironment(variables('ADD', { CNI_PATH: ':/b::/a:' })).path).toEqual(['/b', '/a'])
  })

  test('has each argument with the value that was given last', () => {
    const key = fc.string({ minLength: 1 }).filter(text => !/[;=]/.test(text))
    const value = fc.string().filter(text => !text.includes(';'))
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), pairs => {
        const env = variables('ADD', { CNI_ARGS: pairs.map(pair => pair.join('=')).join(';') })
        expect(readEnvironment(env).args).toEqual(new Map(pairs))
      }),
    )
  })

  test.each([
    ['IgnoreUnknown=0;FOO=1;BAR=2', 'ARGS: unknown args ["FOO=1" "BAR=2"]'],
    ['ignoreunknown=1;IP=x', 'ARGS: unknown args ["ignoreunknown=1"]'],
    ['IgnoreUnknown=TRUE;FOO=1', undefined],
    ['IgnoreUnknown=0;IP=x', undefined],
    ['', undefined],
  ])('with the arguments %j for a plugin that knows IP is answered with: %s', (text, message) => {
    const { args } = readEnvironment(variables('ADD', { CNI_ARGS: text }))
    if (message === undefined) expect(() => refuseUnknownArgs(args, ['IP'])).not.toThrow()
    else expect(() => refuseUnknownArgs(args, ['IP'])).toThrow(message)
  })
})
