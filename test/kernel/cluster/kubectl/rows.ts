// What people do with kubectl, as they type it, in this order; and what it must say for that.

export interface Row {
  /** In the first column of the table. */
  readonly does: string
  /** A script of sh in a folder with the files below. */
  readonly script: string
  /** What it prints, on both outputs. */
  readonly says: RegExp
  /** It must fail. */
  readonly refused?: true
  /** Repeated until it says so: something else has yet to happen. */
  readonly until?: true
}

export const FILES: Readonly<Record<string, string>> = {
  'colours.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: colours\ndata:\n  sky: blue\n',
  'changed.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: colours\ndata:\n  sky: grey\n  sea: green\n',
  'unknown.yaml':
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: odd\nspec:\n  ports: [{ port: 80, tragetPort: 8080 }]\n',
  'wrong.yaml': 'apiVersion: v1\nkind: Service\nmetadata:\n  name: odd\nspec:\n  ports: [{ port: 70000 }]\n',
  'shapes.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shapes\ndata:\n  one: round\n',
}

const POD = `$(kubectl get pods -l app=web --field-selector status.phase=Running -o jsonpath='{.items[0].metadata.name}')`
const PLAIN = `-o jsonpath='{.spec.replicas}'`

export const ROWS: readonly Row[] = [
  { does: 'version', script: 'kubectl version', says: /Server Version: .*1\.\d+/ },
  { does: 'cluster-info', script: 'kubectl cluster-info', says: /is running at .*https:\/\/127\.0\.0\.1:\d+/ },
  {
    does: 'api-resources',
    script: 'kubectl api-resources',
    says: /endpointslices +(discovery\.k8s\.io|.*discovery\.k8s\.io\/v1)/,
  },
  { does: 'api-versions', script: 'kubectl api-versions', says: /^apps\/v1$/m },
  { does: 'create namespace', script: 'kubectl create namespace $SPACE', says: /^namespace\/.* created$/m },
  { does: 'config set-context', script: 'kubectl config set-context --current --namespace=$SPACE', says: /modified/ },
  { does: 'get nodes -o wide', script: 'kubectl get nodes -o wide', says: /node-1 +Ready .* \d+\.\d+\.\d+\.11 / },
  { does: 'describe node', script: 'kubectl describe node node-1', says: /PodCIDR: +10\.244\.1\.0\/24/ },
  {
    does: 'create deployment',
    script: 'kubectl create deployment web --image=switchyard/answers --replicas=2 --port=8080',
    says: /deployment\.apps\/web created/,
  },
  {
    does: 'rollout status',
    script: 'kubectl rollout status deployment/web --timeout=60s',
    says: /successfully rolled out/,
  },
  {
    does: 'wait --for=condition',
    script: 'kubectl wait --for=condition=Available deployment/web --timeout=60s',
    says: /condition met/,
  },
  {
    does: 'get deployments',
    script: 'kubectl get deployments',
    says: /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d/,
  },
  {
    does: 'get pods -o wide',
    script: 'kubectl get pods -o wide',
    says: /web-\w+-\w+ +1\/1 +Running +0 .* 10\.244\.1\.\d+ +node-1 /,
  },
  { does: 'get all', script: 'kubectl get all', says: /replicaset\.apps\/web-\w+ +2 +2 +2 / },
  { does: 'get -A', script: 'kubectl get pods -A --no-headers', says: /^kubectl-\S+ +web-/m },
  { does: 'get -l', script: 'kubectl get pods -l app=web,tier!=back -o name', says: /^(pod\/web-\w+-\w+\n){2}$/ },
  {
    does: 'get --field-selector',
    script: 'kubectl get pods --field-selector=status.phase=Running,spec.nodeName=node-1 -o name',
    says: /^pod\/web-/,
  },
  { does: 'get --sort-by', script: 'kubectl get pods --sort-by=.metadata.name', says: /web-/ },
  { does: 'get --chunk-size', script: 'kubectl get pods --chunk-size=1 -o name', says: /^(pod\/web-\w+-\w+\n){2}$/ },
  { does: 'get -o yaml', script: 'kubectl get deployment web -o yaml', says: /^kind: Deployment$/m },
  { does: 'get -o json', script: 'kubectl get deployment web -o json', says: /"kind": "Deployment"/ },
  { does: 'get -o jsonpath', script: `kubectl get deployment web ${PLAIN}`, says: /^2$/ },
  {
    does: 'get -o custom-columns',
    script: 'kubectl get deployment web -o custom-columns=N:.metadata.name,R:.spec.replicas',
    says: /^N +R\nweb +2\n$/,
  },
  { does: 'get -o go-template', script: `kubectl get deployment web -o go-template='{{.spec.replicas}}'`, says: /^2$/ },
  {
    does: 'describe pod',
    script: `kubectl describe pod ${POD}`,
    says: /Status: +Running[\s\S]*IP: +10\.244\.1\.\d+[\s\S]*Ready +True/,
  },
  {
    does: 'describe deployment',
    script: 'kubectl describe deployment web',
    says: /Replicas: +2 desired \| 2 updated \| 2 total \| 2 available/,
  },
  {
    does: 'expose',
    script: 'kubectl expose deployment web --port=80 --target-port=8080',
    says: /service\/web exposed/,
  },
  { does: 'get services', script: 'kubectl get services', says: /web +ClusterIP +10\.\d+\.\d+\.\d+ +<none> +80\/TCP / },
  {
    does: 'get endpointslices',
    script: 'kubectl get endpointslices',
    says: /web-\w+ +IPv4 +8080 +10\.244\.1\.\d+,10\.244\.1\.\d+ /,
    until: true,
  },
  {
    does: 'describe service',
    script: 'kubectl describe service web',
    says: /Endpoints: +10\.244\.1\.\d+:8080,10\.244\.1\.\d+:8080/,
    until: true,
  },
  { does: 'explain', script: 'kubectl explain service.spec.ports', says: /targetPort\s+<\S+>/ },
  { does: 'explain, of a group', script: 'kubectl explain deployment.spec.replicas', says: /replicas <integer>/ },
  { does: 'label', script: 'kubectl label pods -l app=web tier=front', says: /pod\/web-\S+ labeled/ },
  { does: 'annotate', script: 'kubectl annotate deployment web note=hello', says: /deployment\.apps\/web annotated/ },
  { does: 'scale', script: 'kubectl scale deployment web --replicas=3', says: /deployment\.apps\/web scaled/ },
  {
    does: 'get -w',
    script: [
      'timeout 120 kubectl get pods -w > watched & watch=$!',
      // What is there is shown when the watch begins.
      'until grep -q Running watched || ! kill -0 $watch; do sleep 0.1; done',
      'kubectl scale deployment web --replicas=4 > scaled',
      `until grep -q "^$(sed -n 's/ .*Pending.*//p' watched | head -1) .*Running" watched || ! kill -0 $watch; do sleep 0.1; done`,
      'kill $watch; wait; sort watched | uniq',
    ].join('\n'),
    says: /(web-\w+-\w+) +0\/1 +Pending[\s\S]*\1 +1\/1 +Running/,
  },
  {
    does: 'patch',
    script: `kubectl patch service web -p '{"spec":{"sessionAffinity":"ClientIP"}}'`,
    says: /service\/web patched/,
  },
  {
    does: 'patch --type=merge',
    script: `kubectl patch service web --type=merge -p '{"spec":{"sessionAffinity":"None"}}'`,
    says: /service\/web patched/,
  },
  {
    does: 'patch --type=json',
    script: `kubectl patch service web --type=json -p '[{"op":"replace","path":"/spec/ports/0/port","value":81}]'`,
    says: /service\/web patched/,
  },
  { does: 'logs', script: `kubectl logs ${POD}`, says: /\S/ },
  { does: 'logs --tail, of a deployment', script: 'kubectl logs deployment/web --tail=1', says: /\S/ },
  { does: 'exec', script: `kubectl exec ${POD} -- ip -o -4 addr show eth0`, says: /inet 10\.244\.1\.\d+\/24/ },
  { does: 'exec -i', script: `echo hello | kubectl exec -i ${POD} -- cat`, says: /^hello$/m },
  {
    does: 'exec, of what fails',
    script: `kubectl exec ${POD} -- sh -c 'exit 3'; echo "and then $?"`,
    says: /and then 3[\s\S]*exit code 3/,
  },
  {
    does: 'get events',
    script: 'kubectl get events',
    says: /Normal +\w+ +(pod|deployment|replicaset)\S*web/i,
    until: true,
  },
  {
    does: 'create configmap',
    script: 'kubectl create configmap made --from-literal=sky=blue',
    says: /configmap\/made created/,
  },
  {
    does: 'create secret',
    script: `kubectl create secret generic word --from-literal=pass=open && kubectl get secret word -o jsonpath='{.data.pass}'`,
    says: /b3Blbg==/,
  },
  {
    does: 'create service',
    script: 'kubectl create service nodeport outward --tcp=80:8080 && kubectl get service outward',
    says: /outward +NodePort +\S+ +<none> +80:3\d+\/TCP/,
  },
  { does: 'create -f', script: 'kubectl create -f shapes.yaml', says: /configmap\/shapes created/ },
  {
    does: 'create -f, again',
    script: 'kubectl create -f shapes.yaml',
    says: /AlreadyExists|already exists/,
    refused: true,
  },
  {
    does: 'replace -f',
    script: 'sed s/round/square/ shapes.yaml | kubectl replace -f - && kubectl get configmap shapes -o yaml',
    says: /one: square/,
  },
  {
    does: 'edit',
    script: `KUBE_EDITOR='sed -i s/square/flat/' kubectl edit configmap shapes`,
    says: /configmap\/shapes edited/,
  },
  { does: 'apply', script: 'kubectl apply -f colours.yaml', says: /configmap\/colours created/ },
  { does: 'apply, the same', script: 'kubectl apply -f colours.yaml', says: /configmap\/colours unchanged/ },
  { does: 'diff', script: 'kubectl diff -f changed.yaml', says: /^\+ +sea: green$/m, refused: true },
  {
    does: 'apply --dry-run=client',
    script: 'kubectl apply --dry-run=client -f changed.yaml',
    says: /configmap\/colours configured \(dry run\)/,
  },
  {
    does: 'apply --dry-run=server',
    script: 'kubectl apply --dry-run=server -f changed.yaml',
    says: /configmap\/colours configured \(server dry run\)/,
  },
  {
    does: 'apply, changed',
    script: 'kubectl apply -f changed.yaml && kubectl get configmap colours -o yaml',
    says: /configured[\s\S]*sea: green\n +sky: grey/,
  },
  {
    does: 'apply --server-side',
    script: 'kubectl apply --server-side --field-manager=me --force-conflicts -f colours.yaml',
    says: /configmap\/colours serverside-applied/,
  },
  {
    does: 'apply --server-side, a conflict',
    script: 'kubectl apply --server-side --field-manager=you -f changed.yaml',
    says: /conflict with "me".*: \.data\.sky/,
    refused: true,
  },
  {
    does: 'apply, an unknown field',
    script: 'kubectl apply -f unknown.yaml',
    says: /unknown field "(spec\.ports\[0\]\.)?tragetPort"/,
    refused: true,
  },
  {
    does: 'apply, a wrong value',
    script: 'kubectl apply -f wrong.yaml',
    says: /spec\.ports\[0\]\.port: Invalid value: 70000/,
    refused: true,
  },
  {
    does: 'apply, what helm renders',
    script: 'kubectl apply -f rendered.yaml && kubectl rollout status deployment/shop-web --timeout=60s',
    says: /service\/shop-web created[\s\S]*successfully rolled out/,
  },
  {
    does: 'set image',
    script:
      'kubectl set image deployment/web answers=switchyard/answers:2 && kubectl rollout status deployment/web --timeout=90s',
    says: /image updated[\s\S]*successfully rolled out/,
  },
  { does: 'rollout history', script: 'kubectl rollout history deployment/web', says: /^1 [\s\S]*^2 /m },
  {
    does: 'rollout undo',
    script: `kubectl rollout undo deployment/web && kubectl rollout status deployment/web --timeout=90s && kubectl get deployment web -o jsonpath='{..image}'`,
    says: /rolled back[\s\S]*switchyard\/answers$/,
  },
  {
    does: 'rollout restart',
    script: 'kubectl rollout restart deployment/web && kubectl rollout status deployment/web --timeout=90s',
    says: /restarted[\s\S]*successfully rolled out/,
  },
  {
    does: 'run',
    script:
      'kubectl run one --image=switchyard/answers --restart=Never && kubectl wait --for=condition=Ready pod/one --timeout=60s',
    says: /pod\/one created[\s\S]*condition met/,
  },
  {
    does: 'cordon, uncordon',
    script: 'kubectl cordon node-1 && kubectl get node node-1 && kubectl uncordon node-1',
    says: /SchedulingDisabled[\s\S]*uncordoned/,
    // The other kubectl does the same to the one node.
    until: true,
  },
  { does: 'delete pod', script: 'kubectl delete pod one --grace-period=1', says: /pod "one" (force )?deleted/ },
  { does: 'delete -f', script: 'kubectl delete -f colours.yaml', says: /configmap "colours" deleted/ },
  { does: 'delete --all', script: 'kubectl delete services --all', says: /service "web" deleted/ },
  {
    does: 'delete deployment',
    script: 'kubectl delete deployment web shop-web && kubectl wait --for=delete pod -l app=web --timeout=90s',
    says: /"web" deleted/,
  },
  {
    does: 'delete namespace',
    script: 'kubectl delete namespace $SPACE --timeout=90s',
    says: /namespace "\S+" deleted/,
  },
]
