import { Refused } from '../answers.ts'
import { type FieldProblem, invalid } from '../refusals.ts'

// The query of a list or watch → a refusal where kube-apiserver sees no sense in it.

const MATCHES = ['Exact', 'NotOlderThan', '']

export function checkListOptions(query: URLSearchParams): void {
  checkNumbers(query)
  const [version, match] = [query.get('resourceVersion') ?? '', query.get('resourceVersionMatch') ?? '']
  if (query.get('continue') && version !== '' && version !== '0') {
    throw new Refused(400, 'specifying resource version is not allowed when using continue')
  }
  if (query.has('sendInitialEvents')) throw refused('sendInitialEvents', 'sendInitialEvents is forbidden for list')
  if (match === '') return
  const field = 'resourceVersionMatch'
  if (version === '') throw refused(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (query.get('continue')) throw refused(field, 'resourceVersionMatch is forbidden for continue')
  if (!MATCHES.includes(match)) throw listOptions(unsupported(match))
  if (match === 'Exact' && version === '0') {
    throw refused(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  }
}

export function checkWatchOptions(query: URLSearchParams): void {
  checkNumbers(query)
  const initial = query.get('sendInitialEvents')
  const match = query.get('resourceVersionMatch') ?? ''
  const field = 'resourceVersionMatch'
  if (initial === null && match !== '') {
    throw refused(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  }
  if (initial !== null && match !== 'NotOlderThan') {
    throw refused(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
}

function checkNumbers(query: URLSearchParams): void {
  for (const name of ['limit', 'timeoutSeconds']) {
    const text = query.get(name) ?? ''
    if (text === '' || Number.isFinite(Number(text))) continue
    throw new Refused(400, `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
}

function refused(field: string, why: string): Refused {
  return listOptions({ reason: 'FieldValueForbidden', field, message: `Forbidden: ${why}` })
}

function unsupported(match: string): FieldProblem {
  const supported = MATCHES.map(it => JSON.stringify(it)).join(', ')
  const message = `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported}`
  return { reason: 'FieldValueNotSupported', field: 'resourceVersionMatch', message }
}

function listOptions(problem: FieldProblem): Refused {
  return invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [problem])
}
