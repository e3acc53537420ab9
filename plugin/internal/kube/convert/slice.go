package convert

import (
	"net/netip"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Slice converts an EndpointSlice as a part of a Service of this cluster. It returns nil
// for a slice without the label of one, such as most slices from other clusters.
func (c *Converter) Slice(s *discoveryv1.EndpointSlice) *cluster.Slice {
	return c.sliceOf(s, s.Labels[discoveryv1.LabelServiceName], "")
}

// sliceOf converts an EndpointSlice, or returns nil if it means nothing in DNS: it names no
// Service, or its address type is FQDN. Only ready endpoints count, and an unknown state
// counts as ready (EndpointConditions). Endpoints that a Service publishes before they are
// ready (publishNotReadyAddresses) have been marked as ready by its controller.
//
// An endpoint has an identity only if it has a hostname, or if Pod names or topology zones
// are needed, because large Services have very many endpoints.
func (c *Converter) sliceOf(s *discoveryv1.EndpointSlice, service, clusterID string) *cluster.Slice {
	if service == "" || s.AddressType == discoveryv1.AddressTypeFQDN {
		return nil
	}
	return cluster.NewSlice(cluster.Slice{
		Namespace: c.pool.text(s.Namespace),
		Name:      s.Name,
		Service:   c.serviceName(s.Name, service),
		Cluster:   c.pool.text(clusterID),
		Ports:     c.slicePorts(s.Ports),
		Endpoints: cluster.PackEndpoints(c.list(s.Endpoints)),
	})
}

// serviceName returns the name of a Service. If the slice's name begins with it, as in
// slices of Kubernetes' own controller, the two share memory.
func (c *Converter) serviceName(slice, service string) string {
	if strings.HasPrefix(slice, service) {
		return slice[:len(service)]
	}
	return c.pool.text(service)
}

// list returns the ready endpoints, one for each address, in a scratch list. The addresses
// of one endpoint share its identity, unless the label comes from the spelling of an
// address.
func (c *Converter) list(all []discoveryv1.Endpoint) []cluster.Endpoint {
	c.endpoints = c.endpoints[:0]
	for i := range all {
		if !ready(&all[i]) {
			continue
		}
		identity := c.identity(&all[i])
		for _, text := range all[i].Addresses {
			if a := ParseAddr(text); a.IsValid() {
				c.endpoints = append(c.endpoints, cluster.Endpoint{Addr: a, Identity: c.spelled(identity, a, text)})
			}
		}
	}
	return c.endpoints
}

func ready(e *discoveryv1.Endpoint) bool {
	return e.Conditions.Ready == nil || *e.Conditions.Ready
}

// identity returns the identity of an endpoint, or nil. Its Pod may be an object of another
// kind, as in stock CoreDNS: monitoring has Services whose endpoints are Nodes.
func (c *Converter) identity(e *discoveryv1.Endpoint) *cluster.Identity {
	var id cluster.Identity
	if e.Hostname != nil {
		id.Hostname = strings.ToLower(*e.Hostname)
	}
	if c.settings.PodNames && e.TargetRef != nil {
		id.Pod = e.TargetRef.Name
	}
	if c.settings.TopologyZones && e.Zone != nil {
		id.TopologyZone = strings.ToLower(*e.Zone)
	}
	return c.pool.identity(id)
}

// spelled returns the identity of an endpoint with one of its addresses. If the endpoint
// has no name and the address is not spelled as in RFC 5952, such as fd00:10:244:0::6, its
// label keeps that spelling. Kubernetes 1.36 refuses such an address, but an object from an
// older version stays as it is. Stock CoreDNS makes the label from the text, and a cached SRV
// record may outlive a change from one server to the other. A spelling with very many zeros
// is too long for a label.
func (c *Converter) spelled(identity *cluster.Identity, a netip.Addr, text string) *cluster.Identity {
	if !a.Is6() || identity != nil && (identity.Hostname != "" || identity.Pod != "") {
		return identity
	}
	label := strings.ReplaceAll(strings.ToLower(text), ":", "-")
	if strings.HasSuffix(label, "-") {
		label += "0"
	}
	if label == dnsname.Dashed(a) || strings.Contains(label, ".") || len(label) > validation.DNS1123LabelMaxLength {
		return identity
	}
	id := cluster.Identity{Hostname: label}
	if identity != nil {
		id.TopologyZone = identity.TopologyZone
	}
	return c.pool.identity(id)
}

func (c *Converter) slicePorts(ports []discoveryv1.EndpointPort) []cluster.Port {
	c.ports = c.ports[:0]
	for i := range ports {
		c.addPort(
			ptr.Deref(ports[i].Name, ""),
			string(ptr.Deref(ports[i].Protocol, "")),
			ptr.Deref(ports[i].Port, 0),
		)
	}
	return c.pool.ports(c.ports)
}
