import { describe, expect, test } from 'vitest'
import { helpText, usageText } from '#config/shown/help.ts'
import { FLAGGED, flagsOf } from '#config/table/table.ts'
import { VERBS, type Verb } from '#config/verbs.ts'

describe('--help', () => {
  test.each(Object.keys(VERBS) as Verb[])('of %s names every flag it has, but for old ones', verb => {
    const text = helpText(verb)
    for (const { flag, deprecated, legacy } of flagsOf(verb)) {
      const line = new RegExp(`^ {2}(-\\w, | {4})--${flag}( |$)`, 'm')
      expect(line.test(text), flag).toBe(deprecated === undefined && legacy === undefined)
    }
    for (const { flag } of FLAGGED.filter(({ verbs }) => verbs !== undefined && !verbs.includes(verb))) {
      expect(text).not.toContain(`--${flag} `)
    }
  })

  test.each(Object.keys(VERBS) as Verb[])('of %s fits a terminal', verb => {
    expect(
      helpText(verb)
        .split('\n')
        .filter(line => line.length > 100),
    ).toEqual([])
  })

  test('shows defaults', () => {
    expect(helpText('run')).toContain('(default 0.0.0.0:10256)')
    expect(helpText('run')).toContain('  -v, --v uint\n')
    expect(helpText('explain')).toContain('switchyard explain [FROM] TO[:PORT] [flags]')
  })

  test('is pointed to below a mistyped command line', () => {
    expect(usageText('run')).toBe('Usage:\n  switchyard [run] [flags]\nRun "switchyard --help" for all flags.\n')
    expect(usageText('verify')).toContain('Run "switchyard verify --help"')
  })
})

test('the help of a verb with commands has a line for each that may stand first', () => {
  for (const verb of ['cni', 'ipam'] as const) {
    const commands = Object.keys(VERBS[verb].commands ?? {}).map(words => words.split(' ')[0])
    expect(commands).toEqual(VERBS[verb].operands[0]!.split('|'))
    expect(helpText(verb)).toMatch(/^Commands:\n( {2}\w+.* {2}\w.*\n( {10,}\w.*\n)*)+\n/m)
  }
})
