import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { catalogue, type ListedMetric, makersOfMetrics } from './catalogue.ts'

const PAGE = fileURLToPath(new URL('../../METRICS.md', import.meta.url))
const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

const PROGRAMS = { proxy: 'The proxy', pods: 'The daemon of pods', ranges: 'The controller of node ranges' } as const

test('METRICS.md has every metric, its labels and what it means: vitest --update writes it anew', async () => {
  const head = readFileSync(PAGE, 'utf8').split(/^## /m)[0]
  const sections = Object.entries(PROGRAMS).map(([program, title]) => {
    const rows = catalogue(program as keyof typeof PROGRAMS).map(row)
    return `## ${title}\n\n| Metric | Type | Labels | What it means |\n|---|---|---|---|\n${rows.join('\n')}\n`
  })
  await expect(`${head}${sections.join('\n')}`).toMatchFileSnapshot(PAGE)
})

test('every file that makes metrics is in the catalogue', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const making = files.filter(name => /new Registry\(/.test(readFileSync(`${SRC}${name}`, 'utf8')))
  expect(making.length).toBeGreaterThan(6)
  expect(making.toSorted()).toEqual(makersOfMetrics.toSorted())
})

function row({ name, type, labels, help }: ListedMetric): string {
  const text = help.replace(/^\[(ALPHA|BETA|STABLE)\] /, '').replaceAll('|', '\\|')
  return `| \`${name}\` | ${type} | ${labels.map(label => `\`${label}\``).join(', ')} | ${text} |`
}
