import { describe, expect, test } from 'vitest'
import { nodeName } from '#config/settings.ts'
import { KINDS } from '#config/table/kinds.ts'
import { keyOf } from '#config/table/setting.ts'
import { FLAGGED, TABLE } from '#config/table/table.ts'
import { VERBS } from '#config/verbs.ts'
import { accepted, warnings } from './parsing.ts'
import { REACHES } from './reaches.ts'

/** These decide what is done, not how: see arguments.test.ts. */
const ACTIONS = ['cleanup', 'init-only', 'help', 'allocate-node-cidrs', 'leader-elect-resource-lock']

describe('every flag that means something reaches its setting', () => {
  test.each(Object.entries(REACHES))('--%s', async (_, { argv, verb = 'run', read, value }) => {
    const file = argv.includes('--config=proxy.conf') ? '' : undefined
    const operands = VERBS[verb].operands.filter(operand => !operand.startsWith('['))
    const { settings, configuration } = await accepted({
      verb,
      argv: file === undefined ? [...operands, ...argv] : [],
      ...(file !== undefined && { file }),
    })
    expect(read(settings, configuration)).toEqual(value)
    const untouched = await accepted({ verb, argv: operands })
    expect(read(untouched.settings, untouched.configuration)).not.toEqual(value)
  })

  test('and no flag is without a row above', () => {
    const meaningful = FLAGGED.filter(({ noEffect }) => noEffect === undefined).map(({ flag }) => flag)
    expect(meaningful.filter(flag => !ACTIONS.includes(flag)).sort()).toEqual(Object.keys(REACHES).sort())
  })
})

describe('every flag without effect says so in one line', () => {
  test.each(FLAGGED.filter(({ noEffect }) => noEffect !== undefined))(
    '--$flag',
    async ({ flag, kind, initial, noEffect }) => {
      const lines = await warnings({ argv: [`--${flag}=${KINDS[kind].toText(initial)}`] })
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatch(new RegExp(`^--${flag}( .*)? has no effect: `))
      expect(lines[0]).toContain(noEffect)
    },
  )
})

test('the table names every setting once, and every flag has a help text', () => {
  const keys = TABLE.map(keyOf)
  expect(new Set(keys).size).toBe(keys.length)
  const flags = FLAGGED.map(({ flag }) => flag)
  expect(new Set(flags).size).toBe(flags.length)
  expect(TABLE.filter(({ help }) => !/^.{10,}\.$/.test(help))).toEqual([])
})

test('the node is named by the override, or by the host, in lower case', () => {
  expect(nodeName({ hostnameOverride: 'a' }, 'B')).toBe('a')
  expect(nodeName({}, ' Host-1.Local\n')).toBe('host-1.local')
})
