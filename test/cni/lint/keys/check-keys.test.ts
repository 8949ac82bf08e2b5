import { describe, expect, test } from 'vitest'
import { Findings } from '#cni/lint/finding.ts'
import type { ObjectNode } from '#cni/lint/json/node.ts'
import { readTolerantly } from '#cni/lint/json/reader.ts'
import { checkKeys, type KeyRules } from '#cni/lint/keys/check-keys.ts'
import { ANYTHING, FLAG, type Keys, list, object, TEXT } from '#cni/lint/keys/shape.ts'

const KEYS: Keys = {
  ...{ name: TEXT, isGateway: FLAG, any: ANYTHING },
  routes: list(object({ dst: TEXT })),
  sysctl: { is: 'map', of: TEXT },
  lists: list(list(FLAG)),
}

/** `COLUMN PATH: MESSAGE`, errors with a "!" before them. */
function found(text: string, rules: Partial<KeyRules> = {}, path = ''): readonly string[] {
  const findings = new Findings()
  checkKeys(readTolerantly(text).root as ObjectNode, { keys: KEYS, of: 'bridge', ...rules }, { findings, path })
  return findings.all.map(({ at, severity, path: where, message }) => {
    expect(message.startsWith(where)).toBe(true)
    return `${severity === 'error' ? '!' : ''}${at} ${message}`
  })
}

test('what is as it should be has nothing wrong with it, null and comments included', () => {
  const text = `{"name": null, "isGateway": true, "any": {"x": [null]}, "routes": [{"dst": ""}], "sysctl": {"a.b": "1"},
    "lists": [[true], []], "_note": 1, "$schema": 1, "//": 1, "#x": 1, "cni.dev/x": 1, "Comment": 1, "description": 1}`
  expect(found(text)).toEqual([])
})

test('values are named with their path, where they stand', () => {
  expect(found('{"routes": [{"dst": 5}], "sysctl": {"a.b": 1}, "lists": [[1], true]}', {}, 'plugins[0]')).toEqual([
    '!20 plugins[0].routes[0].dst: 5 is not a text; write "5"',
    '!43 plugins[0].sysctl.a.b: 1 is not a text; write "1"',
    '!58 plugins[0].lists[0][0]: 1 is not true or false; write true, without quotes',
    '!62 plugins[0].lists[1]: true is not a list; write it in brackets, as [true]',
  ])
})

test.each([
  ['{"routes": {"dst": "x"}}', '!11 routes: {"dst":"x"} is not a list; write it in brackets, as [{...}]'],
  ['{"routes": ["x"]}', '!12 routes[0]: "x" is not an object in braces'],
  ['{"routes": [null]}', '!12 routes[0]: null is not an object in braces'],
  ['{"lists": [null]}', '!11 lists[0]: null is not a list; write it in brackets, as [...]'],
  ['{"sysctl": []}', '!11 sysctl: [] is not an object in braces'],
  ['{"routes": [{"dts": 1}]}', '!13 routes[0].dts is no key of routes; did you mean dst?'],
])('%s: %s', (text, line) => {
  expect(found(text)).toEqual([line])
})

describe('a key', () => {
  test('that is there twice is named at each place but the last, and every value is looked at', () => {
    expect(found('{"name": 1, "name": "x", "name": 2}')).toEqual([
      '!1 name is there twice, and only the last one counts; remove one of them',
      '!9 name: 1 is not a text; write "1"',
      '!12 name is there twice, and only the last one counts; remove one of them',
      '!33 name: 2 is not a text; write "2"',
    ])
  })

  test('in other letters is doubtful, and its value is looked at; or it is another key', () => {
    expect(found('{"ISGATEWAY": 1}')).toEqual([
      '1 ISGATEWAY is taken for isGateway by some programs and passed over by others; write isGateway',
      '!14 ISGATEWAY: 1 is not true or false; write true, without quotes',
    ])
    expect(found('{"ISGATEWAY": 1}', { letterCase: 'counts' })).toEqual(['!1 ISGATEWAY is no key; write isGateway'])
    expect(found('{"ISGATEWAY": true}', { others: 'allowed' })).toHaveLength(1)
  })

  test('that is not known belongs elsewhere, or was meant to be another, or is passed over', () => {
    const elsewhere = new Map([['names', 'it belongs one level up']])
    expect(found('{"names": 1, "nam": 1, "zzzzzz": 1}', { elsewhere })).toEqual([
      '!1 names is no key of bridge; it belongs one level up',
      '!13 nam is no key of bridge; did you mean name?',
      '23 zzzzzz is no key of bridge; it is passed over',
    ])
    expect(found('{"names": 1, "nam": 1, "zzzzzz": 1}', { others: 'allowed' })).toEqual([])
  })

  test('may have null as its value, unless null is refused, which is not for what stands below', () => {
    const text = '{"name": null, "any": null, "routes": null, "sysctl": {"a": null}}'
    expect(found(text)).toEqual([])
    expect(found(text, { nulls: 'refused' })).toEqual([
      '!9 name: null is not a text in quotes',
      '!38 routes: null is not a list; write it in brackets, as [...]',
    ])
  })

  test('that every object has in JavaScript is not known', () => {
    expect(found('{"toString": 1, "__proto__": 2}')).toEqual([
      '1 toString is no key of bridge; it is passed over',
      // It begins as a comment does.
    ])
  })
})
