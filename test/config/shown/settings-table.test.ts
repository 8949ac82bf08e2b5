import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { settingsTable } from '#config/shown/settings-table.ts'
import { FIELDS, FLAGGED } from '#config/table/table.ts'

test('SETTINGS.md is the table of settings', () => {
  const page = readFileSync(new URL('../../../SETTINGS.md', import.meta.url), 'utf8')
  expect(page.endsWith(`\n\n${settingsTable()}\n`)).toBe(true)
})

describe('the table for the documentation', () => {
  test('has a row for every flag and every field', () => {
    const rows = settingsTable().split('\n')
    for (const { flag } of FLAGGED)
      expect(
        rows.filter(row => row.includes(`\`--${flag}\` |`)),
        flag,
      ).toHaveLength(1)
    for (const { field } of FIELDS)
      expect(
        rows.filter(row => row.includes(`| \`${field}\` |`)),
        field,
      ).toHaveLength(1)
  })

  test('has seven cells in every row', () => {
    const rows = settingsTable()
      .split('\n')
      .filter(row => row.startsWith('|'))
    expect(rows.filter(row => row.split(/(?<!\\)\|/).length !== 9)).toEqual([])
  })

  test('says where the default of the file differs, and what is without effect', () => {
    expect(settingsTable()).toContain('| `1s`; in a file `0s` | ipvs |')
    expect(settingsTable()).toContain('No effect: Switchyard speaks JSON with the API server.')
  })
})
