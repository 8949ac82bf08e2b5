import { lint } from '#cni/lint/lint.ts'
import { NO_NEIGHBOURS } from '#cni/lint/rules/overlaps.ts'

// A configuration that is right, with what a test changes in it → what lint finds.

export function found(
  config: object | string,
  { file = 'net.conflist', neighbours = NO_NEIGHBOURS } = {},
): readonly string[] {
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  return lint({ file, text }, neighbours).map(({ severity, message }) => `${severity}: ${message}`)
}

export const IPAM = { type: 'host-local', subnet: '10.22.0.0/16', routes: [{ dst: '0.0.0.0/0' }] }
export const BRIDGE = { type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, ipam: IPAM }

/** A list of one plugin. */
export const list = (plugin: object, more: object = {}) => ({
  cniVersion: '1.0.0',
  name: 'net1',
  plugins: [{ ...BRIDGE, ...plugin }],
  ...more,
})
export const ipam = (more: object) => list({ ipam: { ...IPAM, ...more } })
export const single = (more: object) => ({ cniVersion: '0.3.1', name: 'net1', ...BRIDGE, ...more })
