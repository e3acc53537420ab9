package check

import (
	"fmt"
	"strconv"
	"time"

	"slices"

	"github.com/miekg/dns"
)

// bearable is how many seconds a StatefulSet can wait for the name of a new Pod: kubeadm's TTL. Programs ask
// for the name before the Pod is ready, and get a denial that caches keep.
const bearable = 30

// kept: how long caches keep a denial of a Pod's name.
func (c *judge) kept(b *block) (found []Finding) {
	if us := b.cluster(); us != nil {
		l := us.property("ttl")
		if l != nil && len(l.words) > 1 && seconds(l.words[1]) > bearable {
			found = append(found, l.finding(Warning, "denial-kept",
				fmt.Sprintf("Caches of clients and nodes keep for %s that the name of a Pod does not exist: a StatefulSet waits so long for its members.", l.words[1]+" s"),
				fmt.Sprintf("ttl %d or less.", bearable)))
		}
		return found
	}
	return append(found, c.keptElsewhere(b)...)
}

// keptElsewhere looks at a cache ahead of another server that serves the cluster, as on a node. What is denied
// there has that server's TTL, unless the cache makes it longer.
func (c *judge) keptElsewhere(b *block) (found []Finding) {
	if b.first("forward", "grpc") == nil || !slices.ContainsFunc(b.zones, c.ofCluster) {
		return nil
	}
	for _, d := range b.directives["cache"] {
		for _, l := range d.properties {
			if l.words[0] == "denial" && len(l.words) > 3 && seconds(l.words[3]) > bearable {
				found = append(found, l.finding(Warning, "denial-kept",
					fmt.Sprintf("The cache keeps for %s s at least that the name of a Pod does not exist: a StatefulSet waits so long for its members.", l.words[3]),
					fmt.Sprintf("denial %s %s, without a least TTL.", l.words[1], l.words[2])))
			}
			if l.words[0] == "serve_stale" {
				found = append(found, l.finding(Note, "stale-cluster",
					"While the cluster's DNS does not answer, addresses of Pods that are gone are given for as long as this line says.",
					"serve_stale in the server block for names outside alone."))
			}
		}
	}
	return found
}

// ofCluster reports whether a zone is one of the cluster.
func (c *judge) ofCluster(zone string) bool {
	for _, b := range c.text.blocks {
		if slices.Contains(b.forwardOrigins(), zone) {
			return true
		}
	}
	return dns.IsSubDomain("cluster.local.", zone)
}

// seconds returns the number of seconds in a text such as 30 or 1h, or 0.
func seconds(text string) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	d, _ := time.ParseDuration(text)
	return int(d.Seconds())
}
