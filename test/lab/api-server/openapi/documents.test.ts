import { describe, expect, test } from 'vitest'
import { openApiDocument } from '#lab/api-server/openapi/documents.ts'
import { modelOf } from '#lab/api-server/openapi/models.ts'
import { RESOURCES } from '#lab/api-server/requests/resources.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
const documentAt = (path: string): any => JSON.parse(String(openApiDocument(path)!.body))

describe('OpenAPI v3', () => {
  test('lists every group that is served, each under an address that changes with it', () => {
    const { paths } = documentAt('/openapi/v3')
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['api/v1', 'apis/apps/v1', 'apis/discovery.k8s.io/v1']))
    expect(paths['apis/apps/v1'].serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/)
  })

  test('describes a kind by its types, with what kubectl needs to explain and to merge', () => {
    const { paths, components } = documentAt('/openapi/v3/apis/apps/v1')
    const schema = components.schemas['io.k8s.v1.Deployment']
    expect(schema['x-kubernetes-group-version-kind']).toEqual([{ group: 'apps', kind: 'Deployment', version: 'v1' }])
    expect(schema.properties.spec).toMatchObject({ allOf: [{ $ref: '#/components/schemas/io.k8s.v1.DeploymentSpec' }] })
    const { containers } = components.schemas['io.k8s.v1.PodSpec'].properties
    expect(containers).toMatchObject({
      type: 'array',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-list-type': 'map',
    })
    expect(components.schemas['io.k8s.v1.PodSpec'].required).toEqual(['containers'])
    const { patch } = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
    expect(Object.keys(patch.requestBody.content)).toContain('application/strategic-merge-patch+json')
    expect(patch.parameters.map((it: { name: string }) => it.name)).toContain('fieldValidation')
  })

  test('refers to nothing that is not there', () => {
    for (const path of Object.keys(documentAt('/openapi/v3').paths)) {
      const document = documentAt(`/openapi/v3/${path}`)
      const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
        it => it[1]!,
      )
      expect(names.filter(name => !Object.hasOwn(document.components.schemas, name))).toEqual([])
    }
  })
})

describe('OpenAPI v2', () => {
  test('has every kind, and the descriptions of the API', () => {
    const { definitions } = documentAt('/openapi/v2')
    const kinds = Object.values(definitions).flatMap(
      it => (it as Record<string, object[]>)['x-kubernetes-group-version-kind'] ?? [],
    )
    expect(kinds).toHaveLength(RESOURCES.length)
    expect(definitions['io.k8s.v1.ServicePort'].properties.port).toMatchObject({ type: 'integer', format: 'int32' })
    expect(definitions['io.k8s.v1.ServicePort'].properties.port.description).toMatch(/port that will be exposed/)
  })

  test('comes as protobuf to a client that asks for that', () => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
    const { contentType, body } = openApiDocument('/openapi/v2', accept)!
    expect(contentType).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
    // Field 1, the version of Swagger.
    expect(body.subarray(0, 5)).toEqual(Buffer.from('\x0a\x032.0', 'latin1'))
  })
})

test('a model has its fields with types, what is required, and their descriptions', () => {
  const { description, fields } = modelOf('V1ServicePort')
  expect(description).toMatch(/information on service's port/)
  expect(fields.get('port')).toMatchObject({ type: { is: 'number', format: 'int32' }, required: true })
  expect(fields.get('targetPort')).toMatchObject({ type: { is: 'int-or-string' }, required: false })
  expect(modelOf('V1Secret').fields.get('data')!.type).toEqual({ is: 'map', of: { is: 'string' } })
})
