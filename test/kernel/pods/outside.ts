/** Commands of a shell: `uplink` leads to a host that knows no way back to the pods. */
export const OUTSIDE = [
  'set -e',
  'ip netns add outside',
  'ip link add uplink type veth peer name eth0 netns outside',
  'ip address add 203.0.113.1/24 dev uplink',
  'ip link set uplink up',
  'ip -n outside address add 203.0.113.9/24 dev eth0',
  'ip -n outside link set eth0 up',
].join('\n')
