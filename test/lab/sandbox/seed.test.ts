import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { SEED_OBJECTS, SEED_PODS } from '#lab/sandbox/seed.ts'

test('the YAML fixture says what the sandbox says', () => {
  const text = readFileSync(new URL('../../../fixtures/clusters/seed.yaml', import.meta.url), 'utf8')
  const documents = parseAllDocuments(text)
  expect(documents.flatMap(({ errors }) => errors)).toEqual([])
  expect(documents.map(document => document.toJS())).toEqual(SEED_OBJECTS)
})

test('every Service has its slice, and every slice its Service', () => {
  const of = (kind: string) => SEED_OBJECTS.filter(object => object.kind === kind)
  const services = of('Service').map(({ metadata }) => metadata.name)
  const sliced = of('EndpointSlice').map(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'])
  expect(new Set(sliced)).toEqual(new Set(services))
})

test('no two pods share an address', () => {
  const addresses = SEED_PODS.flatMap(({ ip4, ip6 }) => [ip4, ip6])
  expect(new Set(addresses).size).toBe(addresses.length)
})
