import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PlainShape, plainProblem } from '#cni/lint/keys/plain-problem.ts'
import { oneOf } from '#cni/lint/keys/shape.ts'
import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { parsePrefix } from '#cni/protocol/shapes/decode-result.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'

const LIMITS = { least: 5, most: 65_535 }
const SHAPES: readonly (readonly [PlainShape, (value: unknown) => boolean])[] = [
  [{ is: 'text' }, taken(fields => fields.text('key'))],
  [oneOf('iptables', 'nftables') as PlainShape, taken(fields => fields.choice('key', ['iptables', 'nftables']))],
  [{ is: 'flag' }, taken(fields => fields.flag('key'))],
  [{ is: 'switch' }, value => isSwitch(value)],
  [{ is: 'number', ...LIMITS }, taken(fields => fields.number('key', LIMITS))],
  [{ is: 'address' }, taken(fields => fields.address('key'))],
  [{ is: 'range' }, taken(fields => fields.cidr('key'))],
  [{ is: 'prefix' }, value => parsePrefix(value) !== undefined],
]

/** Whether a plugin takes it. */
function taken(read: (fields: ConfigFields) => unknown): (value: unknown) => boolean {
  return value => {
    const fields = new ConfigFields({ key: value })
    read(fields)
    return fields.problems.length === 0
  }
}

/** Whether a runtime takes it. */
function isSwitch(disableCheck: unknown): boolean {
  try {
    parseNetworkList(JSON.stringify({ name: 'net1', plugins: [{ type: 'bridge' }], disableCheck }))
    return true
  } catch {
    return false
  }
}

const plain = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    'true',
    'no',
    'nftable',
    'nftables',
    'False',
    '10.0.0.1',
    '10.0.0.1/8',
    '10.0.0.0',
    '::',
    'fd00::/64',
    'x/33',
  ),
  fc.constantFrom('4', '5', '065535', '65536', '9'.repeat(400), 4, 5, 65_535, 65_536, 5.5, -0, true, false),
  fc.string(),
)
const value = fc.oneof(
  plain,
  fc.array(plain),
  fc.dictionary(fc.constantFrom('toString', 'valueOf', '__proto__', 'a'), fc.oneof(plain, fc.array(plain))),
)

describe.each(SHAPES)('%j', (shape, isTaken) => {
  test('is refused here exactly where a plugin refuses it', () => {
    fc.assert(
      fc.property(value, given => {
        expect(plainProblem(given, shape) === undefined).toBe(isTaken(given))
      }),
      { numRuns: 500 },
    )
  })

  test('what is said to be right is taken', () => {
    fc.assert(
      fc.property(value, given => {
        const problem = plainProblem(given, shape) ?? ''
        const [, hint] = /(?:write|did you mean) (true|false|\d+|"[^"]*")(?:$|[,?])/.exec(problem) ?? []
        if (hint !== undefined && !hint.startsWith('"default')) expect(isTaken(JSON.parse(hint))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

test.each<[PlainShape, unknown, string]>([
  [{ is: 'number', ...LIMITS }, Number.POSITIVE_INFINITY, 'is not a whole number from 5 to 65535'],
  [{ is: 'flag' }, 'Yes', 'is not true or false; write true, without quotes'],
  [{ is: 'flag' }, 0, 'is not true or false; write false, without quotes'],
  [{ is: 'flag' }, [true], 'is not true or false; write true or false, without quotes'],
  [{ is: 'flag' }, { toString: 1 }, 'is not true or false; write true or false, without quotes'],
  [{ is: 'number', ...LIMITS }, '1500', 'is not a number; write 1500, without quotes'],
  [{ is: 'number', ...LIMITS }, '70000', 'is not a whole number from 5 to 65535'],
  [{ is: 'text' }, 5, 'is not a text; write "5"'],
  [{ is: 'text' }, {}, 'is not a text in quotes'],
  [oneOf('l2', 'l3') as PlainShape, 3, 'is none of "l2", "l3"; did you mean "l3"?'],
  [oneOf('first', 'last') as PlainShape, 5, 'is none of "first", "last"'],
  [{ is: 'address' }, '10.0.0.1/8', 'has a prefix length, and an address alone is wanted; write "10.0.0.1"'],
  [{ is: 'range' }, '::', 'has no prefix length; the default route is "::/0"'],
  [{ is: 'range' }, 'fd00::1', 'has no prefix length; write "fd00::1/64", or how long it is'],
])('%j with %j %s', (shape, given, problem) => {
  expect(plainProblem(given, shape)).toBe(problem)
})
