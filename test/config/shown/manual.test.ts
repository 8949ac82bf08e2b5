import { expect, test } from 'vitest'
import { manualPage } from '#config/shown/manual.ts'
import { FLAGGED } from '#config/table/table.ts'
import { VERBS } from '#config/verbs.ts'

const page = manualPage('1.2.3')
const plain = page.replaceAll('\\-', '-')

test('the manual page has every verb, every command and every flag', () => {
  for (const [verb, { commands = {} }] of Object.entries(VERBS)) {
    expect(plain).toContain(`\n.B ${verb}\n`)
    for (const command of Object.keys(commands)) expect(plain).toContain(`\n.B ${command}\n`)
  }
  const flags = FLAGGED.filter(({ legacy }) => !legacy)
  expect(flags.length).toBeGreaterThan(100)
  for (const { flag } of flags) expect(plain).toMatch(new RegExp(`^\\.B (-\\w, )?--${flag}( |$)`, 'm'))
})

test('no text of it is taken for a request, and no dash for a hyphen', () => {
  const requests = page.split('\n').filter(line => /^[.']/.test(line))
  expect(requests.filter(line => !/^\.(TH|SH|SS|TP|B|BR|I|RS|RE|br)( |$)/.test(line))).toEqual([])
  expect(page).not.toMatch(/[^\\]-/)
  expect(page).not.toMatch(/[^\x20-\x7e\n]/)
})
