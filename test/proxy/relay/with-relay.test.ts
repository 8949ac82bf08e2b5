import { describe, expect, test } from 'vitest'
import {
  closeListeners,
  listListeners,
  openListeners,
  openListenersOf,
  proxyPort,
  withProxyPorts,
} from '#dialects/relay.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperListeners } from '#lab/paper/listeners.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import type { Command, FlowTable, Kernel, StaleFlows } from '#system/ports.ts'
import { ip } from '../../support/objects.ts'

function relayed() {
  const commands: Command[] = []
  const kernel: Kernel = {
    run: async command => {
      commands.push(command)
      return { code: 1, stdout: 'the real thing', stderr: '' }
    },
  }
  const listeners = new PaperListeners()
  const forgotten: StaleFlows[] = []
  const flows: FlowTable = {
    forget: async stale => {
      forgotten.push(stale)
      throw new Error('it cannot be asked')
    },
  }
  return { commands, listeners, forgotten, kernel: withRelay(kernel, listeners, flows) }
}

const CART = { name: 'tcp shop/cart:http', pool: 'to 10.244.1.3:8080 sticky 100' }
const FLOW = { protocol: 'udp', to: ip('10.96.0.53'), answeredBy: ip('10.99.0.2') } as const
const DNS = { name: 'udp shop/dns', pool: 'to 10.244.1.4:53' }

describe('a kernel with a relay', () => {
  test('lists what it was asked to open, family by family', async () => {
    const { kernel } = relayed()
    await kernel.run(openListeners('ipv4', [CART, DNS]))
    const { stdout, code } = await kernel.run(listListeners('ipv4'))
    expect(code).toBe(0)
    expect(openListenersOf(stdout)).toEqual([
      { ...CART, port: 20_000 },
      { ...DNS, port: 20_001 },
    ])
    expect(openListenersOf((await kernel.run(listListeners('ipv6'))).stdout)).toEqual([])
  })

  test('fills in proxy ports, and leaves out lines whose listener is not open', async () => {
    const { kernel, commands } = relayed()
    await kernel.run(openListeners('ipv4', [CART]))
    const input = `*nat\n-A X -j REDIRECT --to-ports ${proxyPort(CART.name)}\n-A X --to-ports ${proxyPort(DNS.name)}\nCOMMIT\n`
    const outcome = await kernel.run(withProxyPorts('ipv4', anyCommand(['iptables-restore', '-w', '5'], { input })))
    expect(outcome.stdout).toBe('the real thing')
    expect(commands).toEqual([
      anyCommand(['iptables-restore', '-w', '5'], { input: '*nat\n-A X -j REDIRECT --to-ports 20000\nCOMMIT\n' }),
    ])
  })

  test('forgets the flows of a UDP listener that closes, and closes it where that cannot be done', async () => {
    const { kernel, commands, forgotten } = relayed()
    await kernel.run(openListeners('ipv4', [CART, DNS]))
    const outcome = await kernel.run(closeListeners('ipv4', [CART.name, DNS.name, 'tcp shop/unknown']))
    expect(outcome.code).toBe(0)
    expect(forgotten).toMatchObject([
      { family: 'ipv4', protocol: 'udp', by: 'answeredByPort', ports: new Set([20_001]) },
    ])
    expect(forgotten[0]!.isStale({ ...FLOW, toPort: 1, answeredByPort: 20_001 })).toBe(true)
    expect(commands).toEqual([])
    expect((await kernel.run(listListeners('ipv4'))).stdout).toBe('')
  })

  test('passes every other command on', async () => {
    const { kernel, commands } = relayed()
    expect(await kernel.run(anyCommand(['iptables-save']))).toMatchObject({ code: 1, stdout: 'the real thing' })
    expect(commands).toEqual([anyCommand(['iptables-save'])])
  })

  test.each([
    [['relay'], '"undefined" is no family: ipv4 or ipv6'],
    [['relay', 'list', 'ipv5'], '"ipv5" is no family: ipv4 or ipv6'],
    [['relay', 'shout', 'ipv4'], '"shout" is no verb: list, open, close, fill'],
    [['relay', 'fill', 'ipv4'], 'fill needs the command to run'],
  ] as const)('says what is wrong with %j', async (argv, why) => {
    const { kernel } = relayed()
    expect(await kernel.run(anyCommand(argv as unknown as Command['argv']))).toEqual({
      code: 2,
      stdout: '',
      stderr: `relay: ${why}\n`,
    })
  })
})
