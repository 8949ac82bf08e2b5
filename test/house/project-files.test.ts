import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }

// The files a newcomer looks for, and what they say of each other.

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'test/README.md', 'SETTINGS.md']

describe('the project’s pages', () => {
  test.each(PAGES)('%s has only links that lead somewhere', page => {
    const links = [...text(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
    const local = links.filter(target => !/^https?:/.test(target))
    const missing = local.filter(target => {
      const [path, anchor] = target.split('#') as [string, string?]
      const file = path === '' ? join(ROOT, page) : join(ROOT, page, '..', path)
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor))
    })
    expect(missing).toEqual([])
  })

  test('CHANGELOG.md knows this version', () => {
    expect(text('CHANGELOG.md')).toContain(`\n## ${manifest.version}\n`)
  })
})

function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

test('continuous integration calls .ci/run, and .ci/run what README says a contributor runs', () => {
  const { jobs } = parse(text('.github/workflows/ci.yml')) as {
    readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>
  }
  expect(jobs.test?.steps.at(-1)?.run).toBe('bash .ci/run')
  const commands = text('.ci/run').match(/^npm .*$/gm)
  expect(commands).toEqual(['npm ci', 'npm run check', 'npm test'])
  for (const command of commands!) expect(text('CONTRIBUTING.md')).toContain(command)
})

describe('the versions of what the project stands on', () => {
  const lock = JSON.parse(text('package-lock.json')) as {
    readonly packages: Readonly<Record<string, { readonly link?: boolean; readonly resolved?: string }>>
  }

  test('are exact, and recorded without addresses', () => {
    const wanted = { ...manifest.devDependencies, ...manifest.optionalDependencies }
    expect(Object.values(wanted).filter(version => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
    const addresses = Object.values(lock.packages).flatMap(({ resolved }) => resolved ?? [])
    expect(addresses.filter(address => !address.startsWith('packages/'))).toEqual([])
  })

  test('let iptables-parser come from this repository alone', () => {
    const folders = readdirSync(join(ROOT, 'packages'))
    expect(folders).toEqual(['iptables-parser'])
    expect(lock.packages['node_modules/iptables-parser']).toEqual({ resolved: 'packages/iptables-parser', link: true })
    const parser = JSON.parse(text('packages/iptables-parser/package.json')) as Record<string, unknown>
    expect([parser.name, parser.private]).toEqual(['iptables-parser', true])
    expect(manifest.devDependencies['iptables-parser']).toBe(parser.version)
  })
})
