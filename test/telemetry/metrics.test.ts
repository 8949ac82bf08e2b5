import { beforeEach, describe, expect, test } from 'vitest'
import type { Metrics } from '#telemetry/metrics.ts'
import { Scraped, STANDING } from './numbers/scraped.ts'

// What all of an agent has in common: requests to the API server. Its other numbers are in numbers/.

let scraped: Scraped
let metrics: Metrics
beforeEach(() => {
  scraped = new Scraped()
  metrics = scraped.metrics
})
const value = (series: string): string | undefined => scraped.value(series)

describe('a request to the API server', () => {
  const asked = { host: '10.96.0.1:443', method: 'GET' }
  const histogram = (name: string): readonly string[] =>
    [...metrics.text(STANDING).matchAll(new RegExp(`^rest_client_${name}_bucket\\{(.*),le="(.*)"\\} `, 'gm'))].map(
      ([, labels, bound]) => `${labels} ${bound}`,
    )

  test('counts under the name that every Go client has for it', () => {
    metrics.requested({ ...asked, code: '200' })
    metrics.requested({ ...asked, code: '<error>' })
    metrics.requested({ ...asked, code: '200' })
    expect(value('rest_client_requests_total{code="200",host="10.96.0.1:443",method="GET"}')).toBe('2')
    expect(value('rest_client_requests_total{code="<error>",host="10.96.0.1:443",method="GET"}')).toBe('1')
    expect(metrics.text(STANDING)).toContain(
      '# HELP rest_client_requests_total [ALPHA] Number of HTTP requests, partitioned by status code, method, and host.\n',
    )
  })

  test('has its time and sizes in the buckets of client-go', () => {
    metrics.finished({ ...asked, tookMs: 30, sentBytes: 0, receivedBytes: 5000 })
    const labels = 'host="10.96.0.1:443",verb="GET"'
    expect(value(`rest_client_request_duration_seconds_sum{${labels}}`)).toBe('0.03')
    expect(value(`rest_client_request_size_bytes_count{${labels}}`)).toBe('1')
    expect(value(`rest_client_response_size_bytes_bucket{${labels},le="4096"}`)).toBe('0')
    expect(value(`rest_client_response_size_bytes_bucket{${labels},le="16384"}`)).toBe('1')
    const seconds = ['0.005', '0.025', '0.1', '0.25', '0.5', '1', '2', '4', '8', '15', '30', '60', '+Inf']
    expect(histogram('request_duration_seconds')).toEqual(seconds.map(bound => `${labels} ${bound}`))
    const small = ['64', '256', '512', '1024', '4096', '16384', '65536', '262144']
    const sizes = [...small, '1.048576e+06', '4.194304e+06', '1.6777216e+07', '+Inf'].map(it => `${labels} ${it}`)
    expect(histogram('request_size_bytes')).toEqual(sizes)
    expect(histogram('response_size_bytes')).toEqual(sizes)
  })
})
