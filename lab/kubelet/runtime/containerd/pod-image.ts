import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { NamedImage } from '#lab/containerd/containerd.ts'
import { imageArchive } from '#lab/containerd/image.ts'

// The images of pods of the lab, made of this machine's busybox: no registry is needed.

const POD_IMAGE = 'docker.io/switchyard/lab-pod:1'
const SANDBOX_IMAGE = 'docker.io/switchyard/lab-sandbox:1'

/** The first program of a container: it ends a little after SIGTERM, when rules of proxies no longer lead to it. */
const SERVE = `#!/bin/sh
trap 'sleep 2; exit 0' TERM
for port in $TCP_PORTS; do nc -ll -p "$port" -e /bin/answer 3>&1 & done
[ -n "$TCP_PORTS" ] || sleep 2147483647 &
while :; do wait; done
`

/** One connection. Without the words of a client it is greeted with the name; stderr is the connection, too. */
const ANSWER = `#!/bin/sh
say() { printf 'HTTP/1.1 %s\\r\\nContent-Type: text/plain\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s\\n' "$1" $((\${#2} + 1)) "$2"; }
IFS= read -r -t 1 line || { echo "$POD_NAME"; IFS= read -r line || exit 0; }
case "$line" in
"GET /"* | "HEAD /"*) ;;
*)
  while [ -n "$line" ]; do
    printf '{"name":"%s","text":"%s"}\\n' "$POD_NAME" "$(printf '%s' "$line" | sed 's/["\\\\]/\\\\&/g')"
    IFS= read -r line || exit 0
  done
  exit 0
  ;;
esac
while IFS= read -r header && [ \${#header} -gt 1 ]; do :; done
path=\${line#* }
path=\${path%% *}
echo "GET $path" >&3
case "$path" in
/ | /hostname) say '200 OK' "$POD_NAME" ;;
/healthz | /readyz) say '200 OK' ok ;;
*) say '404 Not Found' "$POD_NAME has no $path" ;;
esac
`

/** A client that says nothing is greeted. */
const ASK = `#!/bin/sh
[ $# -eq 2 ] || { echo "Usage: ask ADDRESS PORT" >&2; exit 2; }
timeout 5 nc "$1" "$2" </dev/null | head -n 1 | grep . || { echo "no answer from $1 port $2" >&2; exit 1; }
`

/** Its program answers over TCP and HTTP with $POD_NAME on $TCP_PORTS, not over UDP; it has the words of a shell for commands. */
export function podImage(): NamedImage {
  const path = busybox()
  const applets = execFileSync(path, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  const archive = imageArchive({
    name: POD_IMAGE,
    files: [
      ...['bin/', 'etc/', 'tmp/', 'proc/', 'sys/', 'dev/'].map(folder => ({ path: folder })),
      { path: 'bin/busybox', bytes: readFileSync(path) },
      ...applets.filter(name => name !== 'busybox').map(name => ({ path: `bin/${name}`, leadsTo: 'busybox' })),
      { path: 'bin/serve', bytes: Buffer.from(SERVE) },
      { path: 'bin/answer', bytes: Buffer.from(ANSWER) },
      { path: 'bin/ask', bytes: Buffer.from(ASK) },
    ],
    entrypoint: ['/bin/serve'],
  })
  return { name: POD_IMAGE, archive }
}

/** It holds the namespaces of a pod, and does nothing. */
export function sandboxImage(): NamedImage {
  const files = [{ path: 'bin/' }, { path: 'bin/busybox', bytes: readFileSync(busybox()) }]
  const entrypoint = ['/bin/busybox', 'sleep', '2147483647']
  return { name: SANDBOX_IMAGE, archive: imageArchive({ name: SANDBOX_IMAGE, files, entrypoint }) }
}

function busybox(): string {
  return execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim()
}
