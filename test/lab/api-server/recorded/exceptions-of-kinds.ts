import type { Exception } from './exceptions.ts'

// Exceptions that are about single kinds and single questions.

const OWN_WORDS = /^body\.(message|details)/

const NODES: readonly Exception[] = [
  {
    path: /\.taints|^body\.spec$/,
    request: /\/nodes/,
    why: 'New nodes get no taint: the node controller of the lab marks them as they come and go',
  },
  { in: 'cluster', exchanges: [10], path: /podCIDR/, why: 'Where podCIDR and podCIDRs differ, the list counts' },
  {
    in: 'tables',
    exchanges: [36, 38],
    path: /managedFields.*\.f:(addresses|nodeInfo)\b/,
    why: 'The addresses of a node have one owner, and what is empty of its nodeInfo is written by the client',
  },
  { in: 'lists', exchanges: [48], path: /items/, why: 'Nodes of another recording were there, too' },
]

const LEASES_AND_EVENTS: readonly Exception[] = [
  { in: 'cluster', exchanges: [23, 24], why: 'Times are texts, and not read' },
  { in: 'cluster', exchanges: [29], path: OWN_WORDS, why: 'The group of an Event is named as that of any other kind' },
  {
    in: 'cluster',
    exchanges: [40],
    path: /protocol$/,
    why: 'Endpoints get no defaults: EndpointSlices are what proxies read',
  },
  {
    in: 'cluster',
    exchanges: [46],
    path: /labels|finalizers/,
    why: 'A namespace keeps its labels when it is finalized',
  },
]

const VERSIONS: readonly Exception[] = [
  {
    in: 'apply',
    exchanges: [14],
    why: 'An apply with a version to an object that is not there is a conflict, and not a new object',
  },
  { in: 'fields', exchanges: [4], why: 'JSON that names a field twice is read as JavaScript reads it' },
  { in: 'fields', exchanges: [15], path: /reason/, why: 'A reason is empty where the recorded server has none' },
  { in: 'fields', exchanges: [28], why: 'Answers are JSON, never YAML' },
  {
    in: 'lists',
    exchanges: [18],
    path: /continue|remaining/,
    why: 'A page of an old state is followed by the rest of the new one',
  },
  { in: 'lists', exchanges: [24], path: OWN_WORDS, why: 'How far the store is differs' },
  {
    in: 'lists',
    exchanges: [23],
    why: 'A version that is no number is the client’s mistake (400), and no error of the server (500)',
  },
  {
    in: 'objects',
    exchanges: [11, 17, 29],
    why: 'A version that is no number, or of an object that is yet to be made, is the client’s mistake (400, 409), and no error of the server (500)',
  },
  {
    in: 'objects',
    exchanges: [16, 50],
    path: OWN_WORDS,
    why: 'Versions in a message differ, and the storage behind is another',
  },
  {
    in: 'objects',
    exchanges: [27],
    path: OWN_WORDS,
    why: 'A generated name is wrong once, and not as a beginning and as a whole',
  },
  { path: /causes\[1\]$|message$/, in: 'objects', exchanges: [57], why: 'One problem is one cause' },
  { in: 'pods', exchanges: [39], path: OWN_WORDS, why: 'One problem is one cause' },
  { in: 'patches', exchanges: [13], why: 'Another uid is a conflict, as with a PUT' },
  {
    in: 'patches',
    exchanges: [27],
    why: 'A strategic patch with a directive that is none is refused even where the list is empty',
  },
]

const WATCHES: readonly Exception[] = [
  { in: 'watches', exchanges: [12], why: 'A single object is watched at its own path, too' },
  {
    in: 'watches',
    exchanges: [13],
    path: /initial-events-list-blueprint$/,
    why: 'The mark at the end of the first picture carries no empty list',
  },
  {
    in: 'watches',
    exchanges: [18],
    why: 'The past of a store that has just begun is not forgotten: version 1 is in it',
  },
  {
    in: 'watches',
    exchanges: [19],
    why: 'A version that is no number is the mistake of the client (400), and no error of the server (500)',
  },
  { in: 'watches', exchanges: [21], why: 'What is neither true nor 1 is no watch' },
  { in: 'watches', exchanges: [25], why: 'The old paths of watches are not served: no client of today asks there' },
]

const PODS: readonly Exception[] = [
  {
    in: 'pods',
    exchanges: [14, 15, 16],
    path: OWN_WORDS,
    why: 'What changed in a pod is not drawn, as the recorded server draws it',
  },
  {
    in: 'pods',
    exchanges: [26, 28, 29, 30, 31, 32],
    why: 'Logs and exec are answered by a kubelet, which this server has none of',
  },
  {
    in: 'pods',
    exchanges: [46],
    path: /items/,
    why: 'A pod that was refused at the recorded server is there, and one that is evicted is not marked',
  },
  {
    in: 'tables',
    path: /(startedAt|finishedAt)$/,
    ours: ours => ours === undefined,
    why: 'A time that was not sent stays away',
  },
]

const SERVICES: readonly Exception[] = [
  {
    path: /managedFields$/,
    request: /\/(servicecidrs|ipaddresses)/,
    ours: ours => ours === undefined,
    why: 'What the server writes of its own accord has no manager',
  },
  {
    in: 'services',
    exchanges: [42, 43],
    path: /managedFields.*TrafficPolicy$/,
    why: 'What a Service loses with its type has no owner any more',
  },
  {
    in: 'services',
    exchanges: [22],
    path: /sessionAffinityConfig/,
    why: 'What a Service says of an affinity that it does not want is kept',
  },
  {
    in: 'services',
    exchanges: [44, 50],
    path: /resourceVersion|clusterIP/,
    why: 'An allocation begins at a random place at the recorded server',
  },
  {
    in: 'services',
    exchanges: [48],
    path: /ingress|managedFields\[1\]/,
    why: 'A sandbox has no controllers, and sets the status of a Service with the rest',
  },
  {
    path: /ipMode$/,
    ours: ours => ours === undefined,
    why: 'The lab has no load balancers, and no ways in which they send packets',
  },
  {
    path: /finalizers/,
    ours: ours => JSON.stringify(ours)?.includes('service-cidr') === true,
    why: 'The lab is the controller of ServiceCIDRs, too, and guards them at once',
  },
  { in: 'services', exchanges: [54, 56], path: /conditions/, why: 'The lab is the controller of ServiceCIDRs, too' },
  {
    in: 'services',
    exchanges: [57, 59, 63, 65],
    why: 'Ranges and addresses are refused in words of our own, and two ranges of one family are taken',
  },
  { path: /parentRef\.group$/, why: 'The core group is written as the empty group that it is' },
]

const REST: readonly Exception[] = [
  {
    in: 'tables',
    exchanges: [41],
    path: /endpoints$/,
    ours: ours => JSON.stringify(ours) === '[]',
    why: 'An EndpointSlice without endpoints has an empty list',
  },
  {
    in: 'tables',
    exchanges: [50],
    path: /cells|columnDefinitions/,
    why: 'The recorded Table of IPAddresses has a cell more than columns: here the age has a column',
  },
  {
    in: 'workloads',
    exchanges: [5, 6, 8, 9, 15, 19],
    path: OWN_WORDS,
    why: 'Values are shown as JSON, and not as Go prints them',
  },
  { in: 'workloads', exchanges: [21], why: 'A status is not checked: controllers alone write it' },
  {
    in: 'workloads',
    exchanges: [22],
    path: /status/,
    why: 'The status that was refused at the recorded server is there',
  },
  { in: 'workloads', path: /lastUpdateTime$/, why: 'A time that was not sent stays away' },
]

export const OF_KINDS: readonly Exception[] = [
  ...NODES,
  ...LEASES_AND_EVENTS,
  ...VERSIONS,
  ...WATCHES,
  ...PODS,
  ...SERVICES,
  ...REST,
]
