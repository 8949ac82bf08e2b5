import assert from 'node:assert/strict'
import { serverLine, serverOptions } from '#dialects/ipvs.ts'
import { anyCommand } from '#lab/any-command.ts'
import { ipvsSetup } from '#proxy/modes/ipvs/setup.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { SETUP } from '../../proxy/modes/ipvs/scene.ts'
import { suite } from '../suite.ts'

// What ipvs mode asks of a kernel before anything else, on one that has everything and on one that lacks it.

const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'dh', 'sed', 'nq', 'mh', 'fo', 'ovf']

export const ipvsSetupSuite = suite<Kernel>('setting up ipvs mode', {
  open: async () => hostKernel(),
  close: async () => {},
  checks: {
    'a kernel without ip_vs is reported in one line that says which module and what to do': async kernel => {
      await must(kernel, anyCommand(['mv', '/lib/modules', '/lib/modules-away']))
      try {
        const problem = await ipvsSetup(kernel, SETUP)
        assert.match(
          problem ?? '',
          /^--proxy-mode=ipvs needs the kernel module ip_vs, .* run "modprobe ip_vs" on the host/,
        )
        assert.ok(!problem!.includes('\n'))
      } finally {
        await must(kernel, anyCommand(['mv', '/lib/modules-away', '/lib/modules']))
      }
    },

    'a scheduler this kernel lacks is reported before anything is made': async kernel => {
      const problem = await ipvsSetup(kernel, { ...SETUP, scheduler: 'nosuch' })
      assert.match(problem ?? '', /^--ipvs-scheduler \(ipvs\.scheduler\): this kernel has no scheduler "nosuch"/)
      const { code } = await kernel.run(anyCommand(['ip', 'link', 'show', 'kube-ipvs0']))
      assert.notEqual(code, 0)
    },

    'a scheduler is loaded when it is asked for, in both families': async kernel => {
      for (const options of [
        { ...SETUP, scheduler: 'wlc' },
        { ...SETUP, family: 'ipv6', scheduler: 'mh' },
      ] as const) {
        assert.equal(await ipvsSetup(kernel, options), undefined)
      }
      const { stdout } = await must(kernel, anyCommand(['ipvsadm', '-Sn']))
      assert.equal(stdout, '')
    },

    'every scheduler there is takes what we write, and prints it back word for word': async kernel => {
      const lines = SCHEDULERS.flatMap((scheduler, i) =>
        [undefined, 300].map(stickySeconds => {
          const at = `192.0.2.1:${stickySeconds === undefined ? 80 + i : 180 + i}`
          const options = serverOptions({ scheduler, ...(stickySeconds !== undefined && { stickySeconds }) })
          return serverLine('A', { protocol: 'tcp', at }, options)
        }),
      )
      await must(kernel, anyCommand(['ipvsadm', '-R'], { input: `${lines.join('\n')}\n`, stderr: 'means-failure' }))
      const { stdout } = await must(kernel, anyCommand(['ipvsadm', '-Sn']))
      await must(kernel, anyCommand(['ipvsadm', '-C']))
      assert.deepEqual(stdout.trim().split('\n').sort(), lines.toSorted())
    },

    'sysctls and timeouts are set as asked, and what was not asked for is left': async kernel => {
      const timeouts = { tcpTimeoutMs: 1_800_000, tcpFinTimeoutMs: 0, udpTimeoutMs: 45_000 }
      assert.equal(await ipvsSetup(kernel, { ...SETUP, ...timeouts, strictARP: true }), undefined)
      const keys = ['vs/conntrack', 'vs/expire_nodest_conn', 'vs/expire_quiescent_template', 'ip_forward']
      const values = [...keys, 'conf/all/arp_ignore', 'conf/all/arp_announce', 'vs/conn_reuse_mode']
      const { stdout } = await must(kernel, anyCommand(['cat', ...values.map(key => `/proc/sys/net/ipv4/${key}`)]))
      // From 5.9 on the kernel knows better what to do about ports that are used again.
      assert.deepEqual(stdout.trim().split('\n'), ['1', '1', '1', '1', '1', '2', '1'])
      const { stdout: listed } = await must(kernel, anyCommand(['ipvsadm', '-Ln', '--timeout']))
      assert.match(listed, /: 1800 120 45$/m)
    },

    'the device is there and is not up': async kernel => {
      const { stdout } = await must(kernel, anyCommand(['ip', '-oneline', 'link', 'show', 'kube-ipvs0']))
      assert.match(stdout, /state DOWN/)
      await must(kernel, anyCommand(['ip', 'link', 'delete', 'kube-ipvs0']))
    },
  },
})
