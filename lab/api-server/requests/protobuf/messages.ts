// How Kubernetes numbers the fields of what kubectl makes by itself, as `kubectl create deployment` does: NAME=NUMBER:TYPE, where
// a type is `text` unless it is named, `[…]` is a list and `{…}` a map. `count` is left out where it is 0, `number` is not.

export type FieldTypeName = string

export interface MessageField {
  readonly name: string
  readonly type: FieldTypeName
}

export type Message = ReadonlyMap<number, MessageField>

const TEXTS: Readonly<Record<string, string>> = {
  ObjectMeta: `name=1 generateName=2 namespace=3 selfLink=4 uid=5 resourceVersion=6 generation=7:count creationTimestamp=8:Time
    deletionTimestamp=9:Time deletionGracePeriodSeconds=10:number labels=11:{text} annotations=12:{text}
    ownerReferences=13:[OwnerReference] finalizers=14:[text]`,
  OwnerReference: 'kind=1 name=3 uid=4 apiVersion=5 controller=6:bool blockOwnerDeletion=7:bool',
  Deployment: 'metadata=1:ObjectMeta spec=2:DeploymentSpec status=3:Ignored',
  DeploymentSpec: `replicas=1:number selector=2:LabelSelector template=3:PodTemplateSpec strategy=4:DeploymentStrategy
    minReadySeconds=5:count revisionHistoryLimit=6:number paused=7:bool progressDeadlineSeconds=9:number`,
  DeploymentStrategy: 'type=1 rollingUpdate=2:RollingUpdateDeployment',
  RollingUpdateDeployment: 'maxUnavailable=1:IntOrString maxSurge=2:IntOrString',
  LabelSelector: 'matchLabels=1:{text} matchExpressions=2:[LabelSelectorRequirement]',
  LabelSelectorRequirement: 'key=1 operator=2 values=3:[text]',
  PodTemplateSpec: 'metadata=1:ObjectMeta spec=2:PodSpec',
  Pod: 'metadata=1:ObjectMeta spec=2:PodSpec status=3:Ignored',
  PodSpec: `containers=2:[Container] restartPolicy=3 terminationGracePeriodSeconds=4:number activeDeadlineSeconds=5:number
    dnsPolicy=6 nodeSelector=7:{text} serviceAccountName=8 serviceAccount=9 nodeName=10 hostNetwork=11:bool hostPID=12:bool
    hostIPC=13:bool hostname=16 subdomain=17 schedulerName=19 initContainers=20:[Container]
    priorityClassName=24
    enableServiceLinks=30:bool`,
  Container: `name=1 image=2 command=3:[text] args=4:[text] workingDir=5 ports=6:[ContainerPort] env=7:[EnvVar]
    resources=8:ResourceRequirements terminationMessagePath=13 imagePullPolicy=14 stdin=16:bool stdinOnce=17:bool tty=18:bool
    terminationMessagePolicy=20`,
  ContainerPort: 'name=1 hostPort=2:count containerPort=3:count protocol=4 hostIP=5',
  EnvVar: 'name=1 value=2',
  ResourceRequirements: 'limits=1:{Quantity} requests=2:{Quantity}',
  Service: 'metadata=1:ObjectMeta spec=2:ServiceSpec status=3:Ignored',
  ServiceSpec: `ports=1:[ServicePort] selector=2:{text} clusterIP=3 type=4 externalIPs=5:[text] sessionAffinity=7
    loadBalancerIP=8 loadBalancerSourceRanges=9:[text] externalName=10 externalTrafficPolicy=11 healthCheckNodePort=12:count
    publishNotReadyAddresses=13:bool ipFamilyPolicy=17 clusterIPs=18:[text] ipFamilies=19:[text]
    allocateLoadBalancerNodePorts=20:bool loadBalancerClass=21 internalTrafficPolicy=22`,
  ServicePort: 'name=1 protocol=2 port=3:count targetPort=4:IntOrString nodePort=5:count appProtocol=6',
  Namespace: 'metadata=1:ObjectMeta spec=2:NamespaceSpec status=3:Ignored',
  NamespaceSpec: 'finalizers=1:[text]',
  ConfigMap: 'metadata=1:ObjectMeta data=2:{text} binaryData=3:{bytes} immutable=4:bool',
  Secret: 'metadata=1:ObjectMeta data=2:{bytes} type=3 stringData=4:{text} immutable=5:bool',
  ServiceAccount: `metadata=1:ObjectMeta secrets=2:[ObjectReference] imagePullSecrets=3:[LocalObjectReference]
    automountServiceAccountToken=4:bool`,
  ObjectReference: 'kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7',
  LocalObjectReference: 'name=1',
  Binding: 'metadata=1:ObjectMeta target=2:ObjectReference',
  Eviction: 'metadata=1:ObjectMeta deleteOptions=2:DeleteOptions',
  DeleteOptions: `gracePeriodSeconds=1:number preconditions=2:Preconditions orphanDependents=3:bool propagationPolicy=4
    dryRun=5:[text]`,
  Preconditions: 'uid=1 resourceVersion=2',
}

const messages = new Map<string, Message>()

/** Undefined where this server does not know the fields. */
export function messageOf(name: string): Message | undefined {
  const text = Object.hasOwn(TEXTS, name) ? TEXTS[name] : undefined
  if (text === undefined) return undefined
  const known = messages.get(name) ?? new Map(text.split(/\s+/).map(fieldOf))
  messages.set(name, known)
  return known
}

function fieldOf(text: string): readonly [number, MessageField] {
  const [, name = '', number = '', type = 'text'] = /^(\w+)=(\d+)(?::(.+))?$/.exec(text) ?? []
  return [Number(number), { name, type }]
}
