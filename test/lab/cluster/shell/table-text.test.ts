import { expect, test } from 'vitest'
import { tableText } from '#lab/cluster/shell/table-text.ts'

test('a Table is shown in columns, as kubectl shows it', () => {
  const columnDefinitions = ['Name', 'Status'].map(name => ({ name }))
  const rows = [{ cells: ['node-1', 'Ready'] }, { cells: ['a-long-name', null] }]
  expect(tableText({ columnDefinitions, rows })).toBe('NAME          STATUS\nnode-1        Ready\na-long-name   null')
})

test('one without rows says that there is nothing', () => {
  expect(tableText({ columnDefinitions: [{ name: 'Name' }] })).toBe('No resources found.')
})
