import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parse } from 'iptables-parser'
import { describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const SEED = fileURLToPath(new URL('../../fixtures/clusters/seed.yaml', import.meta.url))

function render(argv: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'render', ...argv], {
    encoding: 'utf8',
    ...(input !== undefined && { input }),
  })
  return { status, stdout, stderr }
}

describe('render', () => {
  test('prints a document that reads as iptables rules', () => {
    const { status, stdout, stderr } = render(['-f', SEED, '--cluster-cidr=10.244.0.0/16', '--family=ipv4'])
    expect([status, stderr]).toEqual([0, ''])
    const nat = parse(stdout.replaceAll(/^-[INX] .*\n/gm, '')).tables.filter(({ name }) => name === 'nat')
    expect(nat.length).toBeGreaterThan(0)
    expect(stdout).toContain(
      '-A KUBE-SERVICES -d 10.103.132.104/32 -p tcp -m comment --comment "default/db-service:3306 cluster IP" -m tcp --dport 3306 -j KUBE-SVC-3TNEVSQEVUCP4TQO',
    )
  })

  test('without --family prints both, each below a comment with the command that reads it', () => {
    const [ipv4, ipv6] = ['ipv4', 'ipv6'].map(family => render(['-f', SEED, `--family=${family}`]).stdout)
    const tools = [
      '# IPv4: iptables-restore -w 5 --noflush --counters',
      '# IPv6: ip6tables-restore -w 5 --noflush --counters',
    ]
    expect(render(['-f', SEED]).stdout).toBe(`${tools[0]}\n${ipv4}${tools[1]}\n${ipv6}`)
    expect(ipv4).toMatch(/^\*mangle\n/)
  })

  test.each([
    ['nftables', []],
    ['ipvs', ['ipset -exist restore', 'iptables-restore -w 5 --noflush --counters', 'ipvsadm -R', 'ip -batch -']],
    ['userspace', ['relay open ipv4', 'relay fill ipv4 iptables-restore -w 5 --noflush --counters']],
  ])('in %s mode the comments for one family name %j', (mode, commands) => {
    const { status, stdout } = render(['-f', SEED, '--family=ipv4', `--proxy-mode=${mode}`])
    expect(status).toBe(0)
    expect(stdout.match(/^#.*$/gm) ?? []).toEqual(commands.map(command => `# ${command}`))
    expect(stdout).not.toMatch(/[^\n]#/)
  })

  test('says that a script of userspace mode can only be read', () => {
    const inMode = (mode: string) => render(['-f', SEED, '--family=ipv4', '--as=script', `--proxy-mode=${mode}`])
    expect(inMode('userspace').stderr).toMatch(/^Warning: in userspace mode .*"relay" is no program, .*\n$/)
    expect(inMode('nftables').stderr).toBe('')
  })

  test('reads standard input, takes flags as run does, and the other family on demand', () => {
    const yaml = [
      'apiVersion: v1',
      'kind: Service',
      'metadata: {name: ds}',
      'spec: {clusterIP: "fd10:96::9", clusterIPs: ["fd10:96::9"], ipFamilies: [IPv6], ports: [{port: 81}]}',
    ].join('\n')
    const { stdout } = render(['-f', '-', '--family=ipv6', '--iptables-masquerade-bit=15'], yaml)
    expect(stdout).toContain(
      '-d fd10:96::9/128 -p tcp -m comment --comment "default/ds has no endpoints" -m tcp --dport 81 -j REJECT --reject-with icmp6-port-unreachable',
    )
    expect(stdout).toContain('--set-xmark 0x8000/0x8000')
  })

  test('as a script holds the same document and the command that takes it', () => {
    const { stdout } = render(['-f', SEED, '--as=script'])
    expect(stdout).toMatch(
      /^#!\/bin\/sh\nset -e\niptables-restore -w 5 --noflush --counters <<'__END_OF_INPUT__'\n\*mangle\n/,
    )
    expect(stdout.match(/^#!|^set -e$|^ip6?tables-restore /gm)).toEqual([
      '#!',
      'set -e',
      'iptables-restore ',
      'ip6tables-restore ',
    ])
  })

  test('a bad object is left out with a warning that names it; the others are written', () => {
    const bad =
      'apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {clusterIP: "10.96.0.400", ports: [{port: 80}]}\n---\n'
    const good =
      'apiVersion: v1\nkind: Service\nmetadata: {name: good}\nspec: {clusterIP: "10.96.0.4", ports: [{port: 80}]}\n'
    const { status, stdout, stderr } = render(['-f', '-'], bad + good)
    expect(status).toBe(0)
    expect(stdout).toContain('default/good has no endpoints')
    expect(stderr).toMatch(/^Warning: Service default\/bad: standard input:1: .*"10\.96\.0\.400".* \(left out\)\n$/)
  })

  test.each([
    [['-f', '/no/such/file'], /^Error: --filename \(-f\): cannot read \/no\/such\/file: there is no such file\n$/],
    [['-f', SEED, '--proxy-mode=foo'], /^Error: --proxy-mode \(mode\): invalid value "foo": must be/],
    [['-f', SEED, '--family=ipv5'], /^Error: --family.*"ipv5"/],
    [['--bogus'], /^Error: unknown flag: --bogus/],
    [['--healthz-bind-address=127.0.0.1:1'], /^Error: unknown flag: --healthz-bind-address \(it belongs to: run\)/],
  ])('what is wrong with %j is one clear line, and exit 1', (argv, line) => {
    const { status, stdout, stderr } = render(argv)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(line)
  })

  test('YAML that cannot be read says where', () => {
    const { status, stderr } = render(['-f', '-'], 'kind: Service\n  metadata: [')
    expect(status).toBe(1)
    expect(stderr).toMatch(/^Error: standard input:1:7: /)
  })
})
