import { expect, test } from 'vitest'
import { healthCheckAnswer } from '#telemetry/health-checks.ts'
import { name } from '../support/objects.ts'

test('an answer has the bytes of kube-proxy: tabs, no newline at the end, and its headers', () => {
  expect(healthCheckAnswer({ service: name('default/lb'), count: 2, healthy: true })).toEqual({
    status: 200,
    headers: {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': '2',
    },
    body: `{
	"service": {
		"namespace": "default",
		"name": "lb"
	},
	"localEndpoints": 2,
	"serviceProxyHealthy": true
}`,
  })
})

test.each([
  [0, true],
  [2, false],
  [0, false],
])('with %d endpoints, proxy healthy: %s, the answer is 503 and says why', (count, healthy) => {
  const { status, headers, body } = healthCheckAnswer({ service: name('shop/cart'), count, healthy })
  expect(status).toBe(503)
  expect(headers['X-Load-Balancing-Endpoint-Weight']).toBe(String(count))
  expect(JSON.parse(body)).toMatchObject({ localEndpoints: count, serviceProxyHealthy: healthy })
})
