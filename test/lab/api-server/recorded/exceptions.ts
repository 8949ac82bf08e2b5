import type { Difference } from './differences.ts'
import { OF_KINDS } from './exceptions-of-kinds.ts'

// Where the lab's API server may answer otherwise than the recorded one, and why. One that is not needed fails.

export interface Exception {
  /** The recording that it is about; any where absent. */
  readonly in?: string
  /** Of its exchanges, these. */
  readonly exchanges?: readonly number[]
  /** Of their exchanges, those whose requests match. */
  readonly request?: RegExp
  /** Absent: the whole answer is another. */
  readonly path?: RegExp
  /** What it may be here. */
  readonly ours?: (ours: unknown, recorded: unknown) => boolean
  readonly why: string
}

export interface Where {
  readonly recording: string
  readonly request: string
  /** Which exchange of the recording, from 0 on. */
  readonly index: number
}

export function excuses(exception: Exception, where: Where, difference: Difference): boolean {
  const { in: name, exchanges, request, path, ours } = exception
  return (
    (name === undefined || name === where.recording) &&
    (exchanges === undefined || exchanges.includes(where.index)) &&
    (request === undefined || request.test(where.request)) &&
    (path === undefined || path.test(difference.path)) &&
    (ours === undefined || ours(difference.ours, difference.recorded))
  )
}

const OWN_WORDS = /^body\.(message|details)/

/** Of any recording. */
const EVERYWHERE: readonly Exception[] = [
  {
    path: /managedFields.*\.f:last(Transition|Probe|Update)Time$/,
    ours: ours => ours === undefined,
    why: 'A time that was not sent stays away, and has no owner',
  },
  {
    path: /managedFields.*\.f:ports$/,
    why: 'A Service or EndpointSlice without ports has an empty list, which its writer owns',
  },
  {
    path: /managedFields.*\.f:ownerReferences\.k:\{"uid":[^.]+\}$/,
    why: 'The fields of an owner are named by its uid, which is another at each server',
  },
  {
    path: /columnDefinitions\[\d+\]\.description/,
    why: 'Columns are described in words of our own',
  },
  {
    path: /^body\.details/,
    ours: (ours, recorded) => ours === undefined && JSON.stringify(recorded) === '{}',
    why: 'Details that say nothing are left out',
  },
  {
    path: /(message|Invalid value.*)$/,
    ours: (ours, recorded) => ours === String(recorded).replace(/\[\]string\{(.*?)\}/g, '[$1]'),
    why: 'A list in a message is printed as JSON, and not as Go prints it',
  },
  {
    path: /template\.metadata\.creationTimestamp$/,
    ours: ours => ours === undefined,
    why: 'A pod that is yet to be made has no time of birth, not even null',
  },
  {
    path: /metadata\.generation$/,
    ours: (ours, recorded) => typeof ours === 'number' && recorded === undefined,
    why: 'Pods have a generation since Kubernetes 1.33, and the recorded server is of 1.32',
  },
  {
    path: /\.serviceAccount(Name)?$/,
    ours: ours => ours === 'default',
    why: 'The recorded server ran without the admission of service accounts, which real clusters have',
  },
  { path: /\b(f:)?resizePolicy$/, why: 'Containers are not resized in place' },
  {
    path: /(^|\.)apiVersion$/,
    ours: (ours, recorded) => recorded === `${ours}beta1`,
    why: 'ServiceCIDRs and IPAddresses became v1 in Kubernetes 1.33',
  },
  {
    path: /\.(lastTransitionTime|lastHeartbeatTime|lastProbeTime|eventTime|firstTimestamp|lastTimestamp|deprecated\w+Timestamp|source|deprecatedSource|reportingComponent|reportingInstance|lastState|status|conditions|daemonEndpoints|nodeInfo|ports|endpoints)$/,
    ours: (ours, recorded) => ours === undefined && isEmpty(recorded),
    why: 'A field that says nothing is left out, where Go writes null or an empty value',
  },
  {
    path: /\.ports$/,
    ours: (ours, recorded) => isEmpty(ours) && isEmpty(recorded),
    why: 'A Service or EndpointSlice without ports has an empty list',
  },
]

const DISCOVERY: readonly Exception[] = [
  { exchanges: [8], path: /^body\.apiVersion$/, why: 'A list of resources says its version, also of the core group' },
  { request: /^GET \/version$/, path: /^body\./, why: 'The lab has a version of its own' },
  { path: /serverAddressByClientCIDRs/, why: 'Clients of the lab know where they reached it' },
  { path: /storageVersionHash$/, why: 'The lab stores every kind in one version' },
  {
    path: /^body\.resources\[[\w/]+\]$/,
    ours: (ours: unknown) => ours === undefined,
    why: 'The lab does not serve every kind',
  },
  { path: /^headers\.content-type$/, request: /openapi\/v3/, why: 'JSON is called JSON' },
  {
    path: /(definitions|schemas)\|/,
    why: 'The lab describes its kinds in its own words, and the fields that it knows',
  },
  {
    request: /GET \/(nothing|apis\/nothing|openapi\/v3\/apis\/nothing)/,
    path: /^(headers\.content-type|body)$/,
    why: 'A path that is not served is refused with a Status everywhere',
  },
  { request: /^(POST \/api|DELETE \/version)$/, why: 'What is served at fixed paths is not looked at for the method' },
  { exchanges: [38], path: OWN_WORDS, why: 'A kind without a status is asked for the object first' },
  { exchanges: [43], path: OWN_WORDS, why: 'A refusal that says what to do instead' },
].map(it => ({ in: 'discovery', ...it }))

const BODIES: readonly Exception[] = [
  ...[
    { in: 'apply', exchanges: [9, 15] },
    { in: 'fields', exchanges: [15, 16, 17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 30, 31] },
    { in: 'objects', exchanges: [30, 31, 32, 36, 37, 38] },
    { in: 'patches', exchanges: [9, 10, 16] },
    { in: 'lists', exchanges: [9, 32, 33, 34, 38, 44, 49] },
    { in: 'watches', exchanges: [22] },
  ].map(it => ({
    ...it,
    path: OWN_WORDS,
    why: 'What is wrong with a text is said in words of our own: the recorded ones are those of Go’s libraries',
  })),
  {
    in: 'fields',
    exchanges: [11, 12, 13],
    path: OWN_WORDS,
    why: 'The patched object is quoted in another order of fields',
  },
  {
    in: 'patches',
    exchanges: [14, 17],
    why: 'A patch that makes another kind of the object is refused as a body of another kind is',
  },
]

export const EXCEPTIONS: readonly Exception[] = [...EVERYWHERE, ...DISCOVERY, ...BODIES, ...OF_KINDS]

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.values(value).every(it => isEmpty(it) || it === 0)
}
