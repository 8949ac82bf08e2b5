import { describe, expect, test } from 'vitest'
import { summaryOf } from '#cni/daemon/summary.ts'

// What the log says of a call.

const call = (env: Readonly<Record<string, string>>, stdin = '{"name":"mynet"}') => ({ plugin: 'bridge', env, stdin })
const answer = (code: number, stdout: string, stderr = '') => ({ code, stdout, stderr })

describe('the summary of a call', () => {
  test('says whose it was and what came out', () => {
    const env = {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_IFNAME: 'eth0',
      CNI_NETNS: '/run/netns/a',
      CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-1',
    }
    const ips = '{"ips":[{"address":"10.9.0.2/16"},{"address":"fd00::2/64"}]}'
    expect(summaryOf(call(env), answer(0, ips))).toEqual({
      ...{ command: 'ADD', plugin: 'bridge', network: 'mynet', container: 'c1', ifname: 'eth0', netns: '/run/netns/a' },
      ...{ pod: 'shop/cart-1', ips: ['10.9.0.2/16', 'fd00::2/64'], failure: undefined },
    })
  })

  test.each([
    [answer(1, '{"code":11,"msg":"later","details":"busy"}'), { code: 11, message: 'later', details: 'busy' }],
    [answer(3, 'no JSON', ' words \n'), { code: 3, message: 'words', details: '' }],
    [answer(7, ''), { code: 7, message: 'it ended with 7', details: '' }],
  ])('says why it failed: %j', (output, failure) => {
    expect(summaryOf(call({ CNI_COMMAND: 'DEL' }, 'no JSON'), output)).toMatchObject({ failure, network: undefined })
  })

  test('has no pod where the runtime names none', () => {
    expect(summaryOf(call({ CNI_ARGS: 'IP=10.9.0.4' }), answer(0, 'null')).pod).toBeUndefined()
    expect(summaryOf(call({ CNI_ARGS: 'K8S_POD_NAME=alone' }), answer(0, '[]')).pod).toBe('alone')
  })
})
