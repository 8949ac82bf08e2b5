import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsTable } from '#config/shown/settings-table.ts'

test('SETTINGS.md is the table of settings', () => {
  const page = readFileSync(new URL('../../SETTINGS.md', import.meta.url), 'utf8')
  expect(page.endsWith(`\n\n${settingsTable()}\n`)).toBe(true)
})
