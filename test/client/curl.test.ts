import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { newAuthority } from '#lab/api-server/tls/authority.ts'

// What manuals of Kubernetes show by curl, as scripts of a shell: curl adds nothing of its own and forgives nothing.

/** Debian has it in a package of its own. */
const HAS_CURL = spawnSync('curl', ['--version']).error === undefined

let server: ApiServer
let folder: string

describe.runIf(HAS_CURL)('scripts that use curl', () => {
  beforeEach(async () => {
    const authority = newAuthority(Date.now())
    const own = authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'] })
    const admin = authority.issue({ commonName: 'admin', organizations: ['system:masters'] })
    folder = mkdtempSync(join(tmpdir(), 'switchyard-curl-'))
    for (const [name, text] of Object.entries({
      'ca.crt': authority.cert,
      'admin.crt': admin.cert,
      'admin.key': admin.key,
    })) {
      writeFileSync(join(folder, name), text)
    }
    server = await startApiServer({
      tls: { ...own, ca: authority.cert, requestCert: true },
      tokens: new Set(['secret']),
    })
  })
  afterEach(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  test('one that shows neither token nor certificate is not let in, but may ask for the version', async () => {
    await prints(`curl -s -o /dev/null -w '%{http_code}' --cacert ca.crt $API/api/v1/pods`, '401')
    await prints(`curl -sf --cacert ca.crt $API/version | grep -c gitVersion`, '1')
    await prints(`curl -s --cacert ca.crt $API/livez`, 'ok')
    await prints(`curl -sf $API/version || echo "curl: $?"`, 'curl: 60')
  })

  test('a token and a certificate are let in', async () => {
    const count = `| grep -c '"kind":"APIVersions"'`
    await prints(`curl -sf --cacert ca.crt -H "Authorization: Bearer secret" $API/api ${count}`, '1')
    await prints(`curl -sf --cacert ca.crt --cert admin.crt --key admin.key $API/api/ ${count}`, '1')
  })

  test('an object goes up from a file as JSON and as YAML, is read, patched and deleted', async () => {
    writeFileSync(join(folder, 'service.json'), JSON.stringify(SERVICE))
    writeFileSync(join(folder, 'space.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n')
    await prints(
      `code() { c -o answer -w '%{http_code}\\n' "$@"; }
     code -X POST -H 'Content-Type: application/yaml' --data-binary @space.yaml $API/api/v1/namespaces
     code -X POST -H 'Content-Type: application/json' -d @service.json $API/api/v1/namespaces/shop/services
     code -X POST -H 'Content-Type: application/json' -d @service.json $API/api/v1/namespaces/shop/services
     code -X PATCH -H 'Content-Type: application/strategic-merge-patch+json' \\
       --data '{"spec":{"ports":[{"port":443,"name":"https"}]}}' $API/api/v1/namespaces/shop/services/cart
     c $API/api/v1/namespaces/shop/services/cart | grep -o '"port":[0-9]*' | sort
     code -X DELETE $API/api/v1/namespaces/shop/services/cart -H 'Content-Type: application/json' \\
       -d '{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Foreground"}'
     code $API/api/v1/namespaces/shop/services/cart
     grep -o '"message":"[^,]*,' answer`,
      [
        '201',
        '201',
        '409',
        '200',
        '"port":443',
        '"port":80',
        '200',
        '404',
        '"message":"services \\"cart\\" not found",',
      ],
    )
  })

  test('a curl that sends a body without a type is answered as the real server does: curl says that it is a form', async () => {
    await prints(`c -o answer -w '%{http_code}\\n' -X POST -d '{}' $API/api/v1/namespaces`, '415')
  })

  test('a server-side apply makes an object and changes it', async () => {
    const apply = (file: string) =>
      `c -o answer -w '%{http_code}\\n' -X PATCH -H 'Content-Type: application/apply-patch+yaml' \\
       --data-binary @${file} "$API/api/v1/namespaces/default/configmaps/colours?fieldManager=me"`
    for (const sky of ['blue', 'grey']) {
      const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: colours\ndata:\n  sky: ${sky}\n`
      writeFileSync(join(folder, `${sky}.yaml`), text)
    }
    await prints(`${apply('blue.yaml')}; ${apply('grey.yaml')}; grep -o '"sky":"[a-z]*"' answer`, [
      '201',
      '200',
      '"sky":"grey"',
    ])
  })

  test('a JSON patch of a status adds a resource to a node', async () => {
    await prints(
      `c -o answer -X POST -H 'Content-Type: application/json' $API/api/v1/nodes \\
       -d '{"apiVersion":"v1","kind":"Node","metadata":{"name":"one"},"status":{"capacity":{"cpu":"2"}}}'
     c --header 'Content-Type: application/json-patch+json' --request PATCH $API/api/v1/nodes/one/status \\
       --data '[{"op": "add", "path": "/status/capacity/example.com~1dongle", "value": "4"}]' |
       grep -o '"capacity":{[^}]*}'`,
      '"capacity":{"cpu":"2","example.com/dongle":"4"}',
    )
  })

  test('pages follow each other until the last, and a watch goes on where a list ended', async () => {
    for (const name of ['a', 'b', 'c']) {
      server.store.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } })
    }
    await prints(
      `url=$API/api/v1/namespaces/default/configmaps?limit=2
     next=
     pages=0
     while true; do
       page=$(c -G --data-urlencode "continue=$next" "$url")
       pages=$((pages + 1))
       next=$(echo "$page" | sed -n 's/.*"continue":"\\([^"]*\\)".*/\\1/p')
       [ -n "$next" ] || break
     done
     echo $pages pages
     version=$(c "$API/api/v1/namespaces/default/configmaps" | grep -o '"resourceVersion":"[0-9]*"' | head -1 | grep -o '[0-9]*')
     $C -N "$API/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=$version" > events &
     c -o answer -X DELETE $API/api/v1/namespaces/default/configmaps/b
     until grep -o '"type":"[A-Z]*"' events; do sleep 0.05; done
     kill $!`,
      ['2 pages', '"type":"DELETED"'],
    )
  })

  test('a Table comes to those who ask for one, and what is not served is refused', async () => {
    await prints(
      `c -H 'Accept: application/json;as=Table;g=meta.k8s.io;v=v1' $API/api/v1/namespaces | grep -o '"kind":"Table"'
     c -H 'Accept: application/xml' -o answer -w '%{http_code}\\n' $API/api/v1/namespaces`,
      ['"kind":"Table"', '406'],
    )
  })
})

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'cart' },
  spec: { selector: { app: 'cart' }, ports: [{ name: 'http', port: 80 }] },
}

/** The script's output, line by line. `c` is curl with our certificate, silent but for errors. */
async function prints(script: string, lines: string | readonly string[]): Promise<void> {
  const own = 'curl -sS --cacert ca.crt --cert admin.crt --key admin.key'
  const setup = `cd ${folder}; API=${server.url}; C='${own}'; c() { $C "$@"; }\n`
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile('sh', ['-c', setup + script], (error, stdout, stderr) => {
      if (stderr !== '') reject(new Error(stderr, { cause: error }))
      else resolve(stdout)
    })
  })
  expect(stdout.trim().split('\n')).toEqual([lines].flat())
}
