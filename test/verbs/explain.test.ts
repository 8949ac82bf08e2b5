import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const SEED = fileURLToPath(new URL('../../fixtures/clusters/seed.yaml', import.meta.url))

function explain(...argv: readonly string[]) {
  return spawnSync(process.execPath, [MAIN, 'explain', ...argv, '-f', SEED, '--cluster-cidr=10.244.0.0/16'], {
    encoding: 'utf8',
  })
}

describe('explain', () => {
  test('follows a packet from hop to hop, with the rule that moved it', () => {
    const { status, stdout } = explain('10.244.1.9', '10.103.132.104:3306')
    expect(status).toBe(0)
    expect(stdout).toContain(
      'nat KUBE-SERVICES: jump KUBE-SVC-3TNEVSQEVUCP4TQO\n      -A KUBE-SERVICES -d 10.103.132.104/32',
    )
    expect(stdout).toContain('⇒ arrives at 10.244.1.2:3306\n')
  })

  test('says every way that chance may take, and who is masqueraded', () => {
    const { stdout } = explain('10.99.0.1', '10.99.0.2:30080')
    expect(stdout.match(/^50\.0 % of all connections:$/gm)).toHaveLength(2)
    expect(stdout.match(/⇒ arrives at 10\.244\.[12]\.3:8080, with the node's address as its source/g)).toHaveLength(2)
  })

  test.each(['udp', 'UDP', 'Udp'])('takes the protocol in any case: %s', word => {
    const { status, stdout } = explain('10.244.1.9', `10.96.0.10:53/${word}`)
    expect(status).toBe(0)
    expect(stdout).toContain('⇒ arrives at 10.244.1.4:53\n')
  })

  test('takes a Service by its name, with each of its ports, and says why its source is kept', () => {
    const { stdout } = explain('10.244.1.9', 'default/db-service')
    expect(stdout).toMatch(
      /^From 10\.244\.1\.9 to Service default\/db-service.* \(10\.103\.132\.104:3306\/tcp\), by the rules of node /,
    )
    expect(stdout).toContain('source: the endpoint sees 10.244.1.9: it comes from a pod of this cluster')
  })

  test('says why a packet is refused, or to what it goes', () => {
    expect(explain('10.244.1.9', '10.103.20.30:80').stdout).toContain('Why: default/empty:http has no endpoints: ')
    expect(explain('10.244.1.9', '10.103.20.30:81').stdout).toContain(
      'Why: 10.103.20.30 is an address of Service default/empty, which has no port 81/tcp; it has 80/tcp (http).',
    )
  })

  test('prints JSON for programs', () => {
    const [answer] = JSON.parse(explain('10.244.1.9', '10.103.20.30:80', '-o', 'json').stdout) as object[]
    expect(answer).toMatchObject({ reason: { code: 'no-endpoints' }, ways: [{ share: 1, end: { to: 'rejected' } }] })
  })

  test('says so where no endpoint would answer, and where a packet is none of ours', () => {
    expect(explain('10.244.1.9', '10.103.20.30:80').stdout).toContain('⇒ is refused')
    expect(explain('10.244.1.9', '10.103.20.30:81').stdout).toContain('⇒ is no concern of ours')
    expect(explain('10.244.1.9', '10.103.20.30:81', '--proxy-mode=nftables').stdout).toContain('⇒ is refused')
  })

  test.each([
    [['pod', '10.96.0.1:80'], /^Error: FROM: "pod" must be an address such as 10\.244\.1\.7, pod\/NAME, /],
    [
      ['10.244.1.9', 'default/dbservice'],
      /^Error: TO:PORT: there is no Service "default\/dbservice"; did you mean default\/db-service\?\n$/,
    ],
    [['10.244.1.9', 'svc/web:htp'], /^Error: TO:PORT: default\/web has no port "htp"; it has 80\/tcp \(http\)\n$/],
    [
      ['pod/web-1', '10.96.0.1:80'],
      /^Error: FROM: pod "default\/web-1": no pods are known here; give its address instead\n$/,
    ],
    [
      ['10.244.1.9', '10.96.0.10:53/icmp'],
      /^Error: TO:PORT: "icmp" is no protocol of Services; they have tcp, udp, sctp\n$/,
    ],
    [['10.244.1.9', '10.96.0.10:53/'], /^Error: TO:PORT: "" is no protocol of Services/],
    [['10.244.1.9', '10.96.0.1'], /TO:PORT: "10\.96\.0\.1" has no port; it must be like 10\.96\.0\.10:80/],
    [['10.244.1.9', '[fd00::1]:80'], /are of two families/],
    [['10.244.1.9'], /TO:PORT: "10\.244\.1\.9" has no port/],
    [[], /takes \[FROM\] and TO\[:PORT\]/],
  ])('%j is one clear line, and exit 1', (words, line) => {
    const { status, stderr } = explain(...words)
    expect(status).toBe(1)
    expect(stderr).toMatch(line)
  })
})
