import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { catalogue, type ListedMetric } from '../telemetry/catalogue.ts'

// Alerts and dashboard ask only for what the programs say.

const ROOT = new URL('../../', import.meta.url)
const METRICS = new Map(
  (['proxy', 'pods', 'ranges'] as const).flatMap(program => catalogue(program).map(metric => [metric.name, metric])),
)
const SOURCES = sourcesOf('src/')
/** What a scrape and a histogram add. */
const ADDED = ['instance', 'job', 'le']

interface Expression {
  readonly where: string
  readonly text: string
}

const rules = parse(read('manifests/monitoring/alerts.yaml')) as {
  readonly spec: { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] }
}
interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}
const alerts = rules.spec.groups.flatMap(group => group.rules)

const dashboard = JSON.parse(read('manifests/monitoring/dashboard.json')) as { readonly panels: readonly Panel[] }
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

const expressions: readonly Expression[] = [
  ...alerts.map(({ alert, expr }) => ({ where: alert, text: expr })),
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, text: expr }))),
]

describe('an expression', () => {
  test.each(expressions)('$where: $text', ({ text }) => {
    const used = selectors(text)
    expect(used.length).toBeGreaterThan(0)
    const labels = new Set([...ADDED, ...used.flatMap(({ metric }) => metric.labels)])
    for (const { metric, matchers } of used) {
      for (const { label, value } of matchers) {
        expect([...ADDED, ...metric.labels]).toContain(label)
        if (value !== '0' && !/[$.*]/.test(value)) expect(SOURCES, `a value of ${label}`).toContain(`'${value}'`)
      }
    }
    for (const [, names] of text.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const name of names!.split(', ')) expect([...labels]).toContain(name)
    }
  })
})

test('an alert says what is wrong, what that means and where to look', () => {
  expect(alerts.length).toBeGreaterThan(10)
  for (const { alert, for: patience, labels, annotations } of alerts) {
    expect(patience, alert).toMatch(/^\d+[mh]$/)
    expect(['critical', 'warning', 'info'], alert).toContain(labels.severity)
    expect(annotations.summary, alert).toMatch(/^.{10,120}$/)
    expect(annotations.description, alert).toMatch(/\.$|\.'$/)
  }
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length)
})

test('a label in the text of an alert is one that its expression keeps', () => {
  for (const { alert, expr, annotations } of alerts) {
    const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].map(([, names]) => names!.split(', '))
    for (const [, label] of Object.values(annotations)
      .join('\n')
      .matchAll(/\$labels\.(\w+)/g)) {
      expect(
        kept.every(names => names.includes(label!)),
        `${alert}: ${label}`,
      ).toBe(true)
    }
  }
})

test('panels have ids of their own and do not cover each other', () => {
  const { panels } = dashboard
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  for (const [i, { gridPos: a, title }] of panels.entries()) {
    expect(a.x + a.w).toBeLessThanOrEqual(24)
    const covered = panels.slice(i + 1).filter(({ gridPos: b }) => {
      return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
    })
    expect(
      covered.map(panel => panel.title),
      title,
    ).toEqual([])
  }
})

interface Selector {
  readonly metric: ListedMetric
  readonly matchers: readonly { readonly label: string; readonly value: string }[]
}

/** Every metric that an expression names, with what it asks of its labels. */
function selectors(text: string): readonly Selector[] {
  const named = text.matchAll(/\b((?:switchyard|kubeproxy|process|nodejs|leader)_\w+)(?:\{([^}]*)\})?/g)
  return [...named].map(([, name = '', inside = '']) => {
    const metric = METRICS.get(name) ?? METRICS.get(name.replace(/_(bucket|sum|count)$/, ''))
    if (metric === undefined) throw new Error(`no program has a metric ${name}`)
    const matchers = [...inside.matchAll(/(\w+)(?:=~|!=|=)"([^"]*)"/g)]
    return { metric, matchers: matchers.map(([, label = '', value = '']) => ({ label, value })) }
  })
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

function sourcesOf(folder: string): string {
  const path = fileURLToPath(new URL(folder, ROOT))
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  return names.map(name => readFileSync(`${path}${name}`, 'utf8')).join('\n')
}
