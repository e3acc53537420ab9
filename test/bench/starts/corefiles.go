package starts

import "fmt"

// kubeadm is kubeadm's Corefile. Other ports are those that the kernel chooses.
const kubeadm = `
.:%s {
    errors
    health 127.0.0.1:0 {
        lameduck 5s
    }
    ready 127.0.0.1:0
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %q
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
        %s
    }
    prometheus 127.0.0.1:0
    forward . %s {
        max_concurrent 1000
    }
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`

// nodeLocal is that of NodeLocal DNSCache.
const nodeLocal = `
cluster.local:%[1]s {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
    reload
    loop
    bind 127.0.0.1
    forward . %[2]s {
        force_tcp
    }
    prometheus 127.0.0.1:0
    health 127.0.0.1:0
}
in-addr.arpa:%[1]s {
    errors
    cache 30
    reload
    loop
    bind 127.0.0.1
    forward . %[2]s {
        force_tcp
    }
    prometheus 127.0.0.1:0
}
ip6.arpa:%[1]s {
    errors
    cache 30
    reload
    loop
    bind 127.0.0.1
    forward . %[2]s {
        force_tcp
    }
    prometheus 127.0.0.1:0
}
.:%[1]s {
    errors
    cache 30
    reload
    loop
    bind 127.0.0.1
    forward . %[3]s
    prometheus 127.0.0.1:0
}
`

// kubeadmCorefile returns kubeadm's with more properties of the directive.
func (o Options) kubeadmCorefile(port, properties string) string {
	return fmt.Sprintf(kubeadm, port, o.Cluster.Config, properties, o.Upstream)
}
