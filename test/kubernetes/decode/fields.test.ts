import { execFileSync } from 'node:child_process'
import type { V1EndpointSlice, V1Node, V1Service } from '@kubernetes/client-node'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { itemsOf, Problems } from '#kubernetes/decode/checks.ts'
import { fieldsOf, listOf, type Unproven, unproven } from '#kubernetes/decode/fields.ts'

// The lines marked @ts-expect-error are the test of the types: tsc fails where one of them compiles.

const json: unknown = {
  metadata: { name: 'cart', labels: { app: 'cart' }, creationTimestamp: '2026-11-20T10:00:00Z' },
  spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }], sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
}

describe('a mistyped field name does not compile', () => {
  const raw = fieldsOf(unproven<V1Service>(json))

  test('of the object itself', () => {
    expect(raw.spec).toBeDefined()
    // @ts-expect-error: spec
    expect(raw.specs).toBeUndefined()
    // @ts-expect-error: a Service has no addressType
    expect(raw.addressType).toBeUndefined()
  })

  test('of what is in it, however deep', () => {
    const spec = fieldsOf(raw.spec)
    expect(spec.clusterIP).toBe('10.96.0.10')
    // @ts-expect-error: clusterIP
    expect(spec.clusterIp).toBeUndefined()
    expect(fieldsOf(fieldsOf(spec.sessionAffinityConfig).clientIP).timeoutSeconds).toBe(60)
    // @ts-expect-error: clientIP
    expect(fieldsOf(fieldsOf(spec.sessionAffinityConfig).clientIp)).toEqual({})
    // @ts-expect-error: timeoutSeconds
    expect(fieldsOf(fieldsOf(spec.sessionAffinityConfig).clientIP).timeoutSecond).toBeUndefined()
  })

  test('of the items of a list', () => {
    const [port] = itemsOf(fieldsOf(raw.spec).ports, 'spec.ports', new Problems())
    expect(fieldsOf(port).port).toBe(80)
    // @ts-expect-error: nodePort
    expect(fieldsOf(port).nodePorts).toBeUndefined()
    const slice = fieldsOf(unproven<V1EndpointSlice>({ endpoints: [{ hints: { forZones: [{ name: 'a' }] } }] }))
    const zones = listOf(fieldsOf(fieldsOf(listOf(slice.endpoints)?.[0]).hints).forZones)
    expect(fieldsOf(zones?.[0]).name).toBe('a')
    // @ts-expect-error: forZones
    expect(fieldsOf(fieldsOf(listOf(slice.endpoints)?.[0]).hints).forZone).toBeUndefined()
  })

  test('where it is taken apart', () => {
    // @ts-expect-error: podCIDRs
    const { podCidrs } = fieldsOf(fieldsOf(unproven<V1Node>({ spec: {} })).spec)
    expect(podCidrs).toBeUndefined()
  })
})

describe('a value is unknown until it is checked', () => {
  test('texts, numbers and dates', () => {
    const raw = fieldsOf(unproven<V1Service>(json))
    expectTypeOf(fieldsOf(raw.spec).clusterIP).toBeUnknown()
    expectTypeOf(fieldsOf(raw.metadata).creationTimestamp).toBeUnknown()
    expectTypeOf(fieldsOf(fieldsOf(raw.metadata).labels).app).toBeUnknown()
  })

  test('objects and lists: what they hold can only be read through a check', () => {
    const raw = fieldsOf(unproven<V1Service>(json))
    expectTypeOf(raw.metadata).toEqualTypeOf<Unproven<NonNullable<V1Service['metadata']>> | undefined>()
    // @ts-expect-error: fieldsOf(raw.metadata).name
    expect(raw.metadata?.name).toBe('cart')
    // @ts-expect-error: anything may be in the place of an object
    fieldsOf(json)
  })

  test.each([undefined, null, 'text', 5, true, ['a']])('%j has no fields', value => {
    expect(fieldsOf(unproven<V1Service>(value))).toEqual({})
  })

  test.each([undefined, null, 'text', 5, true, { length: 1 }])('%j is no list', value => {
    expect(listOf(unproven<readonly string[]>(value))).toBeUndefined()
  })
})

test('the types cost nothing at run time: what reads the API server loads no module of @kubernetes/client-node', () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    for (const path of ['sources/api-source', 'sources/files', 'event-writer']) await import('#kubernetes/' + path + '.ts')
    console.log(JSON.stringify(loaded))`
  const argv = ['--input-type=module', '--disable-warning=ExperimentalWarning', '--eval', script]
  const loaded: readonly string[] = JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8' }))
  expect(loaded.some(url => url.endsWith('/src/kubernetes/decode/service.ts'))).toBe(true)
  expect(loaded.filter(url => url.includes('@kubernetes/'))).toEqual([])
})
