import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answer } from '#cni/answer.ts'
import { PLUGINS } from '#cni/daemon/machine.ts'
import type { CniCommand } from '#cni/protocol/request.ts'
import { paperMachine } from './parts.ts'
import { variables } from './requests.ts'

// Whatever a runtime hands to a plugin of ours: stdout has one JSON object, and an error is one of the specification's, not a
// failure of our own. The machine is one where nothing can be done, so what is understood ends there.

const MISSING = 'this test has no such part'

const KEYS = [
  ...['type', 'ipam', 'subnet', 'ranges', 'routes', 'dst', 'gw', 'gateway', 'rangeStart', 'rangeEnd', 'resolvConf'],
  ...[
    'bridge',
    'isGateway',
    'isDefaultGateway',
    'ipMasq',
    'ipMasqBackend',
    'vlan',
    'vlanTrunk',
    'id',
    'minID',
    'maxID',
  ],
  ...['capabilities', 'portMappings', 'runtimeConfig', 'hostPort', 'containerPort', 'protocol', 'hostIP', 'ips', 'mac'],
  ...[
    'ipRanges',
    'args',
    'cni',
    'dns',
    'mtu',
    'cooldown',
    'timeout',
    'onDuplicate',
    'overlap',
    'prevResult',
    'interfaces',
    'address',
  ],
  ...['name', 'sandbox', 'interface', 'plugin', 'daemonSocketPath', 'request', 'provide', 'option', 'value', 'fromArg'],
  ...['cni.dev/valid-attachments', 'containerID', 'ifname', 'backend', 'snat', 'conditionsV4', 'markMasqBit'],
]
const WORDS = [
  'bridge',
  'host-local',
  'dhcp',
  '10.0.0.0/24',
  '10.0.0.5/24',
  '10.0.0.1',
  'fd00::/64',
  'eth0',
  '',
  'tcp',
  '5s',
]

const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom(...WORDS),
    fc.boolean(),
    fc.integer({ min: -2, max: 70_000 }),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 6 }),
  ),
}))
const object = fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 8 })
/** Now and then with objects where objects are wanted, so that what is in them is looked at, too. */
const config = fc
  .tuple(object, fc.record({ ipam: object, prevResult: object, runtimeConfig: object }, { requiredKeys: [] }))
  .map(([any, objects]) => ({ ...any, ...objects }))
const version = fc.constantFrom('0.2.0', '1.0.0', '1.1.0', '1.1.0')
const command = fc.constantFrom<CniCommand[]>('ADD', 'DEL', 'CHECK', 'STATUS', 'GC')

test.each(PLUGINS.map(({ type }) => type))(
  '%s answers any configuration with a result, nothing, or an error that has a name',
  async type => {
    await fc.assert(
      fc.asyncProperty(config, version, command, async (more, cniVersion, asked) => {
        const stdin = JSON.stringify({ type: 'bridge', ...more, name: 'net1', cniVersion })
        const parts = { plugins: PLUGINS, machine: paperMachine(), version: 'v1' }
        const { stdout, code } = await answer({ plugin: type, env: variables(asked), stdin }, parts)
        if (code === 0) return
        const { code: number, msg } = JSON.parse(stdout) as { code: number; msg: string }
        if (number === 999 && !msg.includes(MISSING)) expect.fail(`${asked} ${stdin}: ${stdout}`)
      }),
      { numRuns: 400 },
    )
  },
)
