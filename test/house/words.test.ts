import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { synonymsIn } from './words.ts'

// One noun per concept, and one concept per name: the glossary of README.md, kept.

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** Where the words themselves are the subject. */
const ABOUT_WORDS = ['test/house/words.ts', 'test/house/words.test.ts']

function files(...patterns: readonly string[]): readonly string[] {
  return globSync(patterns, { cwd: ROOT, exclude: name => name.endsWith('node_modules') }).sort()
}

test('synonyms of the glossary stand nowhere', () => {
  const sources = files(
    '{src,lab,bench,build,test,packages}/**/*.{ts,md}',
    '*.{ts,md}',
    'manifests/Dockerfile*',
    'manifests/**/*.yaml',
    'fixtures/stories/*',
  )
  expect(sources.length).toBeGreaterThan(600)
  const found = sources
    .filter(path => !ABOUT_WORDS.includes(path))
    .flatMap(path => synonymsIn(read(path)).map(({ line, word, say }) => `${path}:${line}: "${word}"; say ${say}`))
  expect(found).toEqual([])
})

test('an exported type has a name of its own', () => {
  const places = new Map<string, string[]>()
  for (const path of files('src/**/*.ts')) {
    for (const [, name] of read(path).matchAll(/^export (?:abstract )?(?:type|interface|class) (\w+)/gm)) {
      places.set(name!, [...(places.get(name!) ?? []), path])
    }
  }
  expect(places.size).toBeGreaterThan(200)
  expect([...places].filter(([, paths]) => paths.length > 1)).toEqual([])
})

describe('the search for synonyms', () => {
  test.each([
    ['the frontend’s door', 'door'],
    ['const doorAt = 1', 'door'],
    ['class UdpDoor {}', 'Door'],
    ['const NO_NEWS = 1', 'NEWS'],
    ['// Nobody listens.', 'Nobody'],
    ['#tell(report)', 'tell'],
  ])('finds %s', (text, word) => {
    expect(synonymsIn(text).map(found => found.word)).toEqual([word])
  })

  test.each(['indoors', 'tellers', 'the newest', 'intelligent', 'KUBE-PORTALS-HOST'])('leaves %s alone', text => {
    expect(synonymsIn(text)).toEqual([])
  })
})
