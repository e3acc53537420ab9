package clusterdns

import (
	"context"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/request"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// parseError is the value of kubernetes/parse-error, with stock CoreDNS's text.
const parseError = "invalid query name"

// Metadata implements metadata.Provider. The keys are those of stock CoreDNS under any
// directive, because Corefiles use them. Whether a key exists matters too, so the client
// and the form of the name are examined for every query. That costs less than registering
// the keys.
func (d *ClusterDNS) Metadata(ctx context.Context, state request.Request) context.Context {
	d.describeClient(ctx, state)
	d.describeName(ctx, state)
	return ctx
}

func (d *ClusterDNS) describeClient(ctx context.Context, state request.Request) {
	c := d.client(state)
	if c.Namespace != "" {
		metadata.SetValueFunc(ctx, "kubernetes/client-namespace", func() string { return c.Namespace })
	}
	if c.Pod == nil {
		return
	}
	metadata.SetValueFunc(ctx, "kubernetes/client-pod-name", func() string { return c.Pod.Name })
	for label, value := range c.Pod.Labels {
		metadata.SetValueFunc(ctx, "kubernetes/client-label/"+label, func() string { return value })
	}
}

func (d *ClusterDNS) describeName(ctx context.Context, state request.Request) {
	name, err := dnsname.Parse(state.QName())
	if err != nil {
		return
	}
	origin := d.view.Origin(&name)
	if origin == nil {
		return
	}
	parts, ok := d.view.Explain(&name, origin)
	if !ok {
		metadata.SetValueFunc(ctx, "kubernetes/parse-error", func() string { return parseError })
		return
	}
	metadata.SetValueFunc(ctx, "kubernetes/kind", func() string { return parts.Kind })
	metadata.SetValueFunc(ctx, "kubernetes/namespace", func() string { return parts.Namespace })
	metadata.SetValueFunc(ctx, "kubernetes/service", func() string { return parts.Service })
	metadata.SetValueFunc(ctx, "kubernetes/endpoint", func() string { return parts.Endpoint })
	metadata.SetValueFunc(ctx, "kubernetes/port-name", func() string { return parts.Port })
	metadata.SetValueFunc(ctx, "kubernetes/protocol", func() string { return parts.Protocol })
	if origin.ClusterSet {
		metadata.SetValueFunc(ctx, "kubernetes/cluster", func() string { return parts.Cluster })
	}
	if d.view.Zonal {
		metadata.SetValueFunc(ctx, "kubernetes/zone", func() string { return parts.TopologyZone })
	}
}
