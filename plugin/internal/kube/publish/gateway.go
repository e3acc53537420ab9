package publish

import (
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/behind"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/target"
)

// The types of the Gateway API below have the fields that matter here, which are the same in all
// versions that are read.

// apiGateway is a Gateway.
type apiGateway struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		GatewayClassName string        `json:"gatewayClassName"`
		Listeners        []apiListener `json:"listeners"`
		AllowedListeners *struct {
			Namespaces *apiNamespaces `json:"namespaces"`
		} `json:"allowedListeners"`
	} `json:"spec"`
	Status struct {
		Addresses []struct {
			Type        *string `json:"type"`
			Value       string  `json:"value"`
			Routability *string `json:"routability"`
		} `json:"addresses"`
		Listeners []apiListenerStatus `json:"listeners"`
	} `json:"status"`
}

// apiListenerStatus is what the controller says of a listener.
type apiListenerStatus struct {
	Name       string             `json:"name"`
	Conditions []metav1.Condition `json:"conditions"`
}

// apiListener is a listener of a Gateway or of a ListenerSet.
type apiListener struct {
	Name          string  `json:"name"`
	Hostname      *string `json:"hostname"`
	Port          int32   `json:"port"`
	Protocol      string  `json:"protocol"`
	AllowedRoutes *struct {
		Namespaces *apiNamespaces `json:"namespaces"`
		Kinds      []struct {
			Group *string `json:"group"`
			Kind  string  `json:"kind"`
		} `json:"kinds"`
	} `json:"allowedRoutes"`
}

// apiNamespaces says which Namespaces are let in.
type apiNamespaces struct {
	From     *string               `json:"from"`
	Selector *metav1.LabelSelector `json:"selector"`
}

// apiListenerSet is a ListenerSet, which adds listeners to a Gateway.
type apiListenerSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		ParentRef apiParentRef  `json:"parentRef"`
		Listeners []apiListener `json:"listeners"`
	} `json:"spec"`
	Status struct {
		Conditions []metav1.Condition  `json:"conditions"`
		Listeners  []apiListenerStatus `json:"listeners"`
	} `json:"status"`
}

// DeepCopyObject implements runtime.Object. A shallow copy is enough, because nobody changes one;
// so it is below.
func (g *apiGateway) DeepCopyObject() runtime.Object     { c := *g; return &c }
func (l *apiListenerSet) DeepCopyObject() runtime.Object { c := *l; return &c }
func (e *apiDNSEndpoint) DeepCopyObject() runtime.Object { c := *e; return &c }

// gateway is what matters of a Gateway.
type gateway struct {
	listeners []listener
	sets      admission          // of ListenerSets
	records   *cluster.Published // what names at the Gateway have; nil without an address
	within    []netip.Addr       // addresses that only the cluster can reach
}

// listenerSet is what matters of a ListenerSet.
type listenerSet struct {
	gateway   cluster.Key
	accepted  bool
	listeners []listener
}

// listener is what matters of a listener.
type listener struct {
	name     string
	hostname string // lower case; empty for any
	at       behind.Listener
	kinds    string // of routes, with commas between and around them; empty for any
	routes   admission
}

// admission says which Namespaces are let in. A selector is in the syntax of the API server.
type admission struct {
	from     string
	selector string
}

// The values of from.
const (
	fromAll      = "All"
	fromSame     = "Same"
	fromSelector = "Selector"
	fromNone     = "None"
)

func (g *gateway) equal(other *gateway) bool {
	if g == nil || other == nil {
		return g == other
	}
	return g.sets == other.sets && g.records.Equal(other.records) && slices.Equal(g.within, other.within) && slices.Equal(g.listeners, other.listeners)
}

func (l *listenerSet) equal(other *listenerSet) bool {
	if l == nil || other == nil {
		return l == other
	}
	return l.gateway == other.gateway && l.accepted == other.accepted && slices.Equal(l.listeners, other.listeners)
}

// gateway converts a Gateway. One of a class that is not wanted has no listeners: a route leads to
// something all the same. An address of the type NamedAddress is for its controller alone.
func (s Settings) gateway(obj metav1.Object) *Object {
	in := obj.(*apiGateway)
	o := newObject(gatewayKind, in)
	g := &gateway{sets: admission{from: fromNone}}
	if o.gateway = g; ignored(in) || !selects(s.GatewayClasses, in.Spec.GatewayClassName) {
		return o
	}
	to, within := o.targetsOf(in)
	g.records, g.within, g.listeners = to.Published(), within, o.listenersOf(in.Spec.Listeners, in.Status.Listeners)
	if allowed := in.Spec.AllowedListeners; allowed != nil {
		g.sets = admissionOf(allowed.Namespaces, fromNone)
	}
	return o
}

// targetsOf returns where names at a Gateway lead, and the addresses that only the cluster can reach.
func (o *Object) targetsOf(in *apiGateway) (to target.List, within []netip.Addr) {
	for i, a := range in.Status.Addresses {
		ok := true
		switch kind, addr := ptr.Deref(a.Type, "IPAddress"), convert.ParseAddr(a.Value); {
		case ptr.Deref(a.Routability, "") == "Cluster":
			if addr.IsValid() {
				within = append(within, addr)
			}
		case kind == "IPAddress":
			ok = to.Add(a.Value, "")
		case kind == "Hostname":
			ok = to.Add("", a.Value)
		}
		if !ok {
			o.problem("status.addresses[%d].value %q is no address of its type", i, a.Value)
		}
	}
	return to, within
}

// listenerSet converts a ListenerSet. Its parent is a Gateway: the API has no other kind.
func (Settings) listenerSet(obj metav1.Object) *Object {
	in := obj.(*apiListenerSet)
	parent := in.Spec.ParentRef.id(in.Namespace)
	if parent.Kind != gatewayKind {
		return nil
	}
	o := newObject(listenerSetKind, in)
	o.listenerSet = &listenerSet{gateway: parent.Key, accepted: accepted(in.Status.Conditions), listeners: o.listenersOf(in.Spec.Listeners, in.Status.Listeners)}
	return o
}

// listenersOf converts listeners, without those that the controller has not accepted.
func (o *Object) listenersOf(in []apiListener, status []apiListenerStatus) []listener {
	out := make([]listener, 0, len(in))
	for i, l := range in {
		o.hostKey(ptr.Deref(l.Hostname, ""), "spec.listeners[%d].hostname", i)
		if slices.ContainsFunc(status, func(s apiListenerStatus) bool {
			return s.Name == l.Name && condition(s.Conditions, metav1.ConditionFalse)
		}) {
			continue
		}
		converted := listener{
			name: l.Name, hostname: strings.ToLower(ptr.Deref(l.Hostname, "")), at: behind.Listener{Port: l.Port, UDP: l.Protocol == "UDP"},
			kinds: kindsOf(l), routes: admission{from: fromSame},
		}
		if l.AllowedRoutes != nil {
			converted.routes = admissionOf(l.AllowedRoutes.Namespaces, fromSame)
		}
		out = append(out, converted)
	}
	return out
}

// kindsOf returns the kinds of routes that a listener takes: those that it lists, or those of its
// protocol. A protocol of a controller's own takes any.
func kindsOf(l apiListener) string {
	if l.AllowedRoutes != nil && len(l.AllowedRoutes.Kinds) > 0 {
		list := ","
		for _, k := range l.AllowedRoutes.Kinds {
			if ptr.Deref(k.Group, gatewayGroup) == gatewayGroup {
				list += k.Kind + ","
			}
		}
		return list
	}
	switch l.Protocol {
	case "HTTP", "HTTPS":
		return ",HTTPRoute,GRPCRoute,"
	case "TLS":
		return ",TLSRoute,"
	case "TCP", "UDP":
		return ","
	}
	return ""
}

// admissionOf returns who is let in. A selector that cannot be parsed lets nobody in.
func admissionOf(n *apiNamespaces, unless string) admission {
	if n == nil {
		return admission{from: unless}
	}
	a := admission{from: ptr.Deref(n.From, unless)}
	if a.from != fromSelector {
		return a
	}
	selector, err := metav1.LabelSelectorAsSelector(n.Selector)
	if err != nil || n.Selector == nil {
		return admission{from: fromNone}
	}
	a.selector = selector.String()
	return a
}

// accepted reports whether the condition Accepted is true.
func accepted(conditions []metav1.Condition) bool { return condition(conditions, metav1.ConditionTrue) }

// condition reports whether the condition Accepted has a status.
func condition(conditions []metav1.Condition, status metav1.ConditionStatus) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool { return c.Type == "Accepted" && c.Status == status })
}
