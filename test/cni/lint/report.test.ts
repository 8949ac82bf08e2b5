import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lint } from '#cni/lint/lint.ts'
import { findingsJson, findingsText } from '#cni/lint/report.ts'
import { NO_NEIGHBOURS } from '#cni/lint/rules/overlaps.ts'
import { list } from './configurations.ts'

test('findings are counted, and JSON has all of them', () => {
  const file = 'x.conflist'
  const findings = lint({ file, text: JSON.stringify(list({ mtu: 'x', color: 1 })) }, NO_NEIGHBOURS)
  expect(findingsText([{ file, findings }])).toContain('1 error, 1 warning')
  expect(findingsText([{ file, findings: [] }])).toBe('x.conflist: nothing is wrong with it.')
  expect(JSON.parse(findingsJson([{ file, findings }]))).toEqual({
    files: [
      {
        file,
        findings: [
          expect.objectContaining({ line: 1, severity: 'error', path: 'plugins[0].mtu' }),
          expect.objectContaining({ line: 1, severity: 'warning', path: 'plugins[0].color' }),
        ],
      },
    ],
  })
})

test('a finding is one line, whatever stands in the file, and nothing in it is for a terminal', () => {
  const key = fc.oneof(
    fc.constantFrom('a\nb.conf:1:1: error: x', '\x1b[2J', '\u2028', '\r', '\u0085', 'dst', 'routes', 'type'),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  fc.assert(
    fc.property(fc.dictionary(key, fc.dictionary(key, key)), fc.string(), (plugin, rest) => {
      const text = `${JSON.stringify({ name: 'n', cniVersion: '1.0.0', plugins: [{ type: 'bridge', ...plugin }] })}${rest}`
      const findings = lint({ file: 'a.conflist', text }, NO_NEIGHBOURS)
      const lines = findingsText([{ file: 'a.conflist', findings }]).split('\n')
      expect(lines).toHaveLength(Math.max(1, findings.length + 1))
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
      for (const line of lines) expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/)
    }),
  )
})
