import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CniError } from '#cni/protocol/error.ts'
import { shownJson } from '#cni/protocol/json.ts'
import { checkContainer, checkInterfaceName, checkNetworkName } from '#cni/protocol/names.ts'

/** Code, message and details; nothing where it is accepted. */
function refusal(check: (name: string) => void, name: string): readonly [number, string, string] | undefined {
  try {
    check(name)
    return undefined
  } catch (error) {
    if (error instanceof CniError) return [error.code, error.message, error.details]
    throw error
  }
}

const WANTED = 'a letter or digit, then letters, digits, "_", "." and "-" are wanted'

describe.each([
  ['container', checkContainer, 4, 'invalid characters in containerID', 'CNI_CONTAINERID is'],
  ['network', checkNetworkName, 7, 'invalid characters found in network name', 'name is'],
] as const)('the name of a %s', (_, check, code, message, field) => {
  test.each(['a', '0', 'A_b.c-d', `${'a'.repeat(500)}`, 'k8s.io-1'])('may be %s', name => {
    expect(refusal(check, name)).toBeUndefined()
  })

  test.each(['-a', '.a', '_a', 'a/b', '..', 'a b', 'a\n', '\n', 'ä', 'a\0'])('is refused with what it is: %j', name => {
    const shown = JSON.stringify(name).replace('ä', '\\u00e4')
    expect(refusal(check, name)).toEqual([code, message, `${field} ${shown}; ${WANTED}`])
  })

  test('never leads out of a folder that files are named in by it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        if (name === '' || refusal(check, name) !== undefined) return
        expect(new URL(`file:///f/${name}/x`).pathname).toBe(`/f/${name}/x`)
        expect(name).not.toMatch(/[^\x21-\x7e]/)
      }),
      { numRuns: 1000 },
    )
  })
})

test('a network must have a name', () => {
  expect(refusal(checkNetworkName, '')).toEqual([7, 'missing network name', 'name must be there, such as "mynet"'])
})

test.each([
  ['', 'interface name is empty'],
  ['.', 'interface name is . or ..'],
  ['..', 'interface name is . or ..'],
  ['fifteen-letters', undefined],
  ['sixteen-letters0', 'interface name is too long'],
  ['€€€€€', undefined],
  ['€€€€€€', 'interface name is too long'],
  ['a/b', 'interface name contains / or : or whitespace characters'],
  ['a\tb', 'interface name contains / or : or whitespace characters'],
  ['a\0b', 'interface name contains / or : or whitespace characters'],
])('the interface name %j is answered with: %s', (name, message) => {
  const found = refusal(checkInterfaceName, name)
  expect(found).toEqual(
    message === undefined ? undefined : [4, message, `CNI_IFNAME is ${shownJson(name)}; a name such as eth0 is wanted`],
  )
})
