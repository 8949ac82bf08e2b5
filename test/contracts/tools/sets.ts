// Lines that make sets, as ipset prints them without what the kernel chooses.

export const SERVICES = 'create S hash:ip,port family inet maxelem 4194304'
export const IPS = 'create A hash:ip family inet maxelem 65536'
export const IPS6 = 'create A hash:ip family inet6 maxelem 65536'
export const OTHERS = 'create B hash:ip family inet maxelem 65536'
export const EXPIRING = 'create A hash:ip family inet maxelem 65536 timeout 0'
export const PORTS = 'create P bitmap:port range 0-65535'
