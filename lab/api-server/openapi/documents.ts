import { createHash } from 'node:crypto'
import { apiVersion, RESOURCES } from '../requests/resources.ts'
import { pathsOf } from './paths.ts'
import { documentBytes } from './protobuf.ts'
import { type Schema, schemasOf, V2, V3 } from './schemas.ts'

// The path of an OpenAPI document → the document, written when it is first asked for: kubectl explains, checks and patches by it.

export interface OpenApiDocument {
  readonly contentType: string
  readonly body: Buffer
}

const INFO = { title: 'Kubernetes', version: 'v1.36.0' }
const PROTOBUF = /application\/com\.github\.proto-openapi\.spec\.v2(?:\.v1\.0|@v1\.0)\+protobuf/
const written = new Map<string, OpenApiDocument>()

/** Undefined where there is no such document; `/openapi/v2` as protobuf for a client that asks for that first. */
export function openApiDocument(path: string, accept = ''): OpenApiDocument | undefined {
  const asProtobuf = path === '/openapi/v2' && PROTOBUF.test(accept)
  const key = asProtobuf ? `${path} protobuf` : path
  const known = written.get(key)
  if (known !== undefined) return known
  const document = documentAt(path)
  if (document === undefined) return undefined
  const answer = asProtobuf
    ? { contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf', body: documentBytes(document) }
    : { contentType: 'application/json', body: Buffer.from(JSON.stringify(document)) }
  written.set(key, answer)
  return answer
}

function documentAt(path: string): Schema | undefined {
  if (path === '/openapi/v2') {
    const [definitions, paths] = [schemasOf(RESOURCES, V2), pathsOf(RESOURCES, V2)]
    return { swagger: '2.0', info: INFO, paths, definitions }
  }
  if (path === '/openapi/v3')
    return { paths: Object.fromEntries(groupPaths().map(it => [it, { serverRelativeURL: url(it) }])) }
  const group = groupPaths().find(it => path === `/openapi/v3/${it}`)
  return group === undefined ? undefined : groupDocument(group)
}

function groupDocument(path: string): Schema {
  const resources = RESOURCES.filter(it => groupPath(apiVersion(it)) === path)
  const [schemas, paths] = [schemasOf(resources, V3), pathsOf(resources, V3)]
  return { openapi: '3.0.0', info: INFO, paths, components: { schemas } }
}

function groupPaths(): readonly string[] {
  return [...new Set(RESOURCES.map(it => groupPath(apiVersion(it))))]
}

/** `api/v1`, `apis/apps/v1` */
function groupPath(version: string): string {
  return version.includes('/') ? `apis/${version}` : `api/${version}`
}

/** A client keeps what it got from here for as long as the address is the same. */
function url(path: string): string {
  const body = openApiDocument(`/openapi/v3/${path}`)?.body ?? ''
  return `/openapi/v3/${path}?hash=${createHash('sha512').update(body).digest('hex').toUpperCase()}`
}
