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
