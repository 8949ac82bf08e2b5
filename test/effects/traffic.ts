import { expect } from 'vitest'
import type { Effects } from './effect.ts'
import { opensLocalhost } from './machine.ts'
import { type Given, rules } from './rules.ts'

// Settings that shape rules: what the rules say with them and do not say without.

export const TRAFFIC: Effects = {
  'proxy-mode': async () => {
    const lines = {
      iptables: /^-A KUBE-SERVICES -d 10\.96\.0\.10\/32 /m,
      nftables: /^element service-ips 10\.96\.0\.10 /m,
      ipvs: /^server tcp 10\.96\.0\.10:80$/m,
      userspace: /-j REDIRECT --to-ports \{tcp shop\/web\}$/m,
    }
    for (const [mode, line] of Object.entries(lines)) {
      const text = await rules({ argv: [`--proxy-mode=${mode}`] })
      expect(Object.values(lines).filter(it => it.test(text))).toEqual([line])
    }
  },
  'bind-address': () => shows(['--bind-address=10.99.0.77', '--nodeport-addresses=primary'], / -d 10\.99\.0\.77\/32 /),
  'cluster-cidr': () => shows(['--cluster-cidr=10.244.0.0/16'], / ! -s 10\.244\.0\.0\/16 .* -j KUBE-MARK-MASQ/),
  'detect-local-mode': () => shows(['--detect-local-mode=NodeCIDR'], / ! -s 10\.7\.0\.0\/24 .* -j KUBE-MARK-MASQ/),
  'pod-bridge-interface': () =>
    shows(['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=cni0'], / ! -i cni0 .* -j KUBE-MARK-MASQ/),
  'pod-interface-name-prefix': () =>
    shows(['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=veth'], / ! -i veth\+ /),
  'nodeport-addresses': async () => {
    await shows(['--nodeport-addresses=192.0.2.0/24'], / -d 192\.0\.2\.7\/32 .* -j KUBE-NODEPORTS/)
    await shows(['--nodeport-addresses=primary'], / -d 10\.99\.0\.2\/32 .* -j KUBE-NODEPORTS/)
    expect(await rules({ argv: ['--nodeport-addresses=primary'] })).not.toMatch(/--dst-type LOCAL -j KUBE-NODEPORTS/)
  },
  'masquerade-all': async () => {
    await shows(['--masquerade-all'], /^-A KUBE-SVC-\w+ -d 10\.96\.0\.10\/32 .* -j KUBE-MARK-MASQ$/m)
    await shows(['--masquerade-all', NFTABLES], MASQUERADED, [NFTABLES])
  },
  'nftables.masqueradeAll': async () => {
    expect(await rules({ file: 'mode: nftables\nnftables: {masqueradeAll: true}' })).toMatch(MASQUERADED)
    expect(await rules({ file: 'mode: nftables\niptables: {masqueradeAll: true}' })).not.toMatch(MASQUERADED)
  },
  'iptables-masquerade-bit': () => shows(['--iptables-masquerade-bit=21'], /--set-xmark 0x200000\/0x200000/),
  'nftables.masqueradeBit': async () => {
    const text = await rules({ file: 'mode: nftables\nnftables: {masqueradeBit: 21}' })
    expect(text).toMatch(/meta mark & 0x200000 != 0 /)
    expect(text).not.toContain('0x4000 ')
  },
  'iptables-localhost-nodeports': async () => {
    await shows(['--iptables-localhost-nodeports=false'], / ! -d 127\.0\.0\.0\/8 .* -j KUBE-NODEPORTS/)
    expect(await opensLocalhost()).toBe(true)
    expect(await opensLocalhost('--iptables-localhost-nodeports=false')).toBe(false)
  },
  'ipvs-scheduler': () => shows([IPVS, '--ipvs-scheduler=lc'], /^-s lc$/m, [IPVS]),
}

const IPVS = '--proxy-mode=ipvs'
const NFTABLES = '--proxy-mode=nftables'
/** In nftables mode: the cluster IP, too, leads to where every client is masqueraded. */
const MASQUERADED = /^element service-ips 10\.96\.0\.10 \. tcp \. 80\n.*goto external-lb-tcp-1$/m

async function shows(argv: readonly string[], words: RegExp, without: Given['argv'] = []): Promise<void> {
  expect(await rules({ argv })).toMatch(words)
  expect(await rules({ argv: without })).not.toMatch(words)
}
