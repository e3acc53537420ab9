//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// answeredByNode returns how many questions the server on each node has answered.
func answeredByNode(ctx context.Context, places []place) (map[string]int, error) {
	counts := map[string]int{}
	for _, p := range places {
		addr, err := cluster.Kubectl(ctx, "get", "pods", "--namespace="+dnsNamespace, "--selector="+nodeSelector,
			"--field-selector=spec.nodeName="+p.Name, "-o", "jsonpath={.items[*].status.podIP}")
		if err != nil {
			return nil, err
		}
		if counts[p.Name], err = answeredBy(ctx, p, addr); err != nil {
			return nil, fmt.Errorf("the server on %s at %q: %w", p.Name, addr, err)
		}
	}
	return counts, nil
}

// answeredBy reads the metric of a server from its node.
func answeredBy(ctx context.Context, p place, addr string) (count int, err error) {
	transport := &http.Transport{DialContext: p.Dial, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(addr, "9153")+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return sumOf(response.Body, "coredns_dns_requests_total{")
}

// sumOf adds up the values of the lines with the prefix.
func sumOf(text io.Reader, prefix string) (sum int, err error) {
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			fields := strings.Fields(lines.Text())
			value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				return 0, err
			}
			sum += int(value)
		}
	}
	return sum, lines.Err()
}
