package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// addresses are where a server listens, each "127.0.0.1:port".
type addresses struct{ dns, health, ready, metrics, profile string }

// freeAddresses are free when it returns. They stay so unless another process
// happens to pick one before the server starts, which then fails.
func freeAddresses() (a addresses, err error) {
	for _, address := range []*string{&a.dns, &a.health, &a.ready, &a.metrics, &a.profile} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return a, err
		}
		defer listener.Close()
		*address = listener.Addr().String()
	}
	packets, err := net.ListenPacket("udp", a.dns)
	if err != nil {
		return a, err
	}
	return a, packets.Close()
}

// corefile is kubeadm's, on loopback and without the loop plugin, which asks
// upstream. What is asked here never goes there. The profile is for forcing a
// garbage collection.
func corefile(a addresses, kubeconfig string, verified bool) (string, error) {
	host, port, err := net.SplitHostPort(a.dns)
	if err != nil {
		return "", err
	}
	pods := "insecure"
	if verified {
		pods = "verified"
	}
	return strings.NewReplacer(
		"PORT", port, "HOST", host, "PODS", pods, "KUBECONFIG", strconv.Quote(kubeconfig),
		"HEALTH", a.health, "READY", a.ready, "METRICS", a.metrics, "PROFILE", a.profile,
	).Replace(kubeadm), nil
}

const kubeadm = `.:PORT {
    bind HOST
    errors
    health HEALTH {
        lameduck 5s
    }
    ready READY
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig KUBECONFIG
        pods PODS
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus METRICS
    forward . 127.0.0.1:9 {
        max_concurrent 1000
    }
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    reload
    loadbalance
    pprof PROFILE
}
`

// podQuestion is the name of a Pod with that address.
func podQuestion(address, namespace string) string {
	return fmt.Sprintf("%s.%s.pod.cluster.local.", strings.ReplaceAll(address, ".", "-"), namespace)
}

func serviceQuestion(service, namespace string) string {
	return fmt.Sprintf("%s.%s.svc.cluster.local.", service, namespace)
}
