import type { IncomingMessage } from 'node:http'
import { Refused } from '../answers.ts'
import { type FieldProblem, invalid } from '../refusals.ts'

// The query (and for DELETE the body) of a write → its options: try only, who writes, on which condition.

export interface WriteOptions {
  /** `dryRun=All`: everything is checked and answered, nothing is stored. */
  readonly dryRun: boolean
  /** Who the changed fields belong to: `fieldManager`, or else the name in User-Agent. */
  readonly manager: string
  /** `fieldManager` was given, as server-side apply demands. */
  readonly named: boolean
  /** Server-side apply takes fields that others own. */
  readonly force: boolean
  /** What becomes of fields that the type of an object has not. */
  readonly validation: FieldValidation
}

/** They are dropped, with a warning or without one, or the whole write is refused. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface DeleteOptions {
  readonly dryRun: boolean
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly gracePeriodSeconds: number | undefined
  readonly propagation: Propagation | undefined
}

/** What becomes of the objects that the deleted one owns. */
export type Propagation = 'Background' | 'Foreground' | 'Orphan'

type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions'

const KINDS: Readonly<Record<string, OptionsKind>> = { POST: 'CreateOptions', PUT: 'UpdateOptions' }

export function writeOptions({ method = '', headers }: IncomingMessage, query: URLSearchParams): WriteOptions {
  const manager = query.get('fieldManager') ?? ''
  const agent = (headers['user-agent'] ?? '').split('/')[0]!
  return {
    dryRun: isDryRun(query.getAll('dryRun'), KINDS[method] ?? 'PatchOptions'),
    manager: manager || agent || 'unknown',
    named: manager !== '',
    force: query.get('force') === 'true',
    validation: fieldValidation(query.get('fieldValidation'), KINDS[method] ?? 'PatchOptions'),
  }
}

/** The real server reads the query only where there is no body: with a body, `?dryRun=All` alone does delete. */
export function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const asked = body === undefined ? queryFields(query) : fieldsOf(body)
  const { kind = 'DeleteOptions', dryRun, preconditions, gracePeriodSeconds } = asked
  if (kind !== 'DeleteOptions') throw new Refused(400, 'decoded object cannot be converted to DeleteOptions')
  const { uid, resourceVersion } = fieldsOf(preconditions ?? {})
  return {
    dryRun: isDryRun(Array.isArray(dryRun) ? dryRun.map(String) : [], 'DeleteOptions'),
    uid: text(uid),
    resourceVersion: text(resourceVersion),
    gracePeriodSeconds: typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : undefined,
    propagation: propagationOf(asked),
  }
}

function queryFields(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const grace = query.get('gracePeriodSeconds')
  const propagationPolicy = query.get('propagationPolicy')
  return {
    dryRun: query.getAll('dryRun'),
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(propagationPolicy !== null && { propagationPolicy }),
  }
}

/** The older `orphanDependents` said less. */
function propagationOf({ propagationPolicy, orphanDependents }: Readonly<Record<string, unknown>>) {
  const isUnsaid = propagationPolicy === undefined || propagationPolicy === null
  if (typeof orphanDependents === 'boolean') {
    if (isUnsaid) return orphanDependents ? 'Orphan' : 'Background'
    const why = 'orphanDependents and deletionPropagation cannot be both set'
    const message = `Invalid value: ${JSON.stringify(propagationPolicy)}: ${why}`
    throw invalidDeleteOptions({ reason: 'FieldValueInvalid', field: 'propagationPolicy', message })
  }
  if (isUnsaid) return undefined
  const known = (['Background', 'Foreground', 'Orphan'] as const).find(it => it === propagationPolicy)
  if (known !== undefined) return known
  const supported = '"Foreground", "Background", "Orphan", "nil"'
  const message = `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: ${supported}`
  throw invalidDeleteOptions({ reason: 'FieldValueNotSupported', field: 'propagationPolicy', message })
}

function invalidDeleteOptions(problem: FieldProblem): Refused {
  return invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [problem])
}

/** 422 of PatchOptions. */
export function invalidPatchOptions(problem: FieldProblem): Refused {
  return invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [problem])
}

function isDryRun(values: readonly string[], kind: OptionsKind): boolean {
  if (values.every(value => value === 'All')) return values.length > 0
  const listed = values.map(value => JSON.stringify(value)).join(', ')
  const message = `Unsupported value: []string{${listed}}: supported values: "All"`
  const problem = { reason: 'FieldValueNotSupported', field: 'dryRun', message } as const
  throw invalid({ group: 'meta.k8s.io', kind }, '', [problem])
}

function fieldValidation(asked: string | null, kind: OptionsKind): FieldValidation {
  if (asked === null || asked === '') return 'Warn'
  const known = (['Ignore', 'Warn', 'Strict'] as const).find(it => it === asked)
  if (known !== undefined) return known
  const message = `Unsupported value: ${JSON.stringify(asked)}: supported values: "", "Ignore", "Strict", "Warn"`
  const problem = { reason: 'FieldValueNotSupported', field: 'fieldValidation', message } as const
  throw invalid({ group: 'meta.k8s.io', kind }, '', [problem])
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refused(400, 'the options of a deletion must be an object')
  }
  return value as Readonly<Record<string, unknown>>
}
