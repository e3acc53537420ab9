package behind

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Listener is where a listener of a Gateway listens.
type Listener struct {
	Port int32
	UDP  bool // else TCP: no listener is for anything else
}

// port is a port of a Service.
type port struct {
	Listener        // what clients use
	target   int32  // the port of the Pods; 0 if the Service only names it
	name     string // if so: the name that EndpointSlices have the port of the Pods by, which is that of the Service's port
	named    bool
}

func portOf(in *corev1.ServicePort) port {
	p := port{Listener: Listener{in.Port, in.Protocol == corev1.ProtocolUDP}, target: in.TargetPort.IntVal}
	switch {
	case in.Protocol == corev1.ProtocolSCTP:
		return port{}
	case in.TargetPort.Type == intstr.String:
		p.target, p.name, p.named = 0, strings.ToLower(in.Name), true
	case p.target == 0:
		p.target = in.Port
	}
	return p
}

// ServesWeb reports whether the Service has a port for HTTP.
func (s *Service) ServesWeb() bool {
	return s.has(Listener{Port: 80}) || s.has(Listener{Port: 443})
}

// NamesTargets reports whether the Service only names a port of its Pods, so that its EndpointSlices have
// to tell the number.
func (s *Service) NamesTargets() bool {
	return slices.ContainsFunc(s.ports, func(p port) bool { return p.named })
}

// Targets returns the ports that the EndpointSlices of a Service have, each once.
func Targets(of []*cluster.Slice) (ports []cluster.Port) {
	for _, s := range of {
		for _, p := range s.Ports {
			if !slices.Contains(ports, p) {
				ports = append(ports, p)
			}
		}
	}
	return ports
}

// Serves reports whether the Service serves the listeners of a Gateway. What a listener's port means is up
// to the Gateway's controller, and so is the same for all of them:
//
//   - The port of the Service. So it is by the Gateway API, and for controllers that make a Service for each
//     Gateway (Istio, Envoy Gateway, Cilium, NGINX Gateway Fabric).
//   - The port of the Pods, to which the Service leads from whatever port clients use. So it is for Traefik,
//     whose listeners have the ports of its entry points.
//
// Targets are those of its EndpointSlices.
func (s *Service) Serves(listeners []Listener, targets []cluster.Port) bool {
	return all(listeners, s.has) || all(listeners, func(l Listener) bool { return s.leadsTo(l, targets) })
}

func all(listeners []Listener, serves func(Listener) bool) bool {
	return !slices.ContainsFunc(listeners, func(l Listener) bool { return !serves(l) })
}

func (s *Service) has(l Listener) bool {
	return slices.ContainsFunc(s.ports, func(p port) bool { return p.Listener == l })
}

// leadsTo reports whether a port of the Service leads to a port of its Pods.
func (s *Service) leadsTo(l Listener, targets []cluster.Port) bool {
	return slices.ContainsFunc(s.ports, func(p port) bool {
		return p.UDP == l.UDP && (p.target == l.Port || p.named && p.ledTo(l, targets))
	})
}

// ledTo reports whether EndpointSlices say that a port leads to a port of the Pods.
func (p port) ledTo(l Listener, targets []cluster.Port) bool {
	protocol := "tcp"
	if l.UDP {
		protocol = "udp"
	}
	return slices.ContainsFunc(targets, func(t cluster.Port) bool {
		return t.Name == p.name && t.Protocol == protocol && int32(t.Number) == l.Port
	})
}
