package publish

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/zone"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// Kinds is a set of kinds of object that give names to the world.
type Kinds uint8

// The kinds that a Corefile names.
const (
	Ingresses Kinds = 1 << iota
	Services
	HTTPRoutes
	TLSRoutes
	GRPCRoutes
	DNSEndpoints
	Nodes

	routes = HTTPRoutes | TLSRoutes | GRPCRoutes
)

// Settings say which objects are published. Equal Settings ask for the same.
type Settings struct {
	Kinds          Kinds
	IngressClasses string // names with commas between them; empty for all
	GatewayClasses string
	// ServiceLabels are label selectors with line ends between them, of which a Service has to match
	// one; empty for all.
	ServiceLabels string
	// NodeAddress is the type of the addresses of Nodes: InternalIP or ExternalIP.
	NodeAddress string

	Zones   string // those that names are shown in, with commas between them
	Except  string // zones whose names others have, with commas between them
	Servers string // the Services that are the zones' name servers, <service>.<namespace>, with commas between them; no other Namespace has these names

	Inside         bool   // names are for the Pods of the cluster, and lead to the Services behind them
	InsideServices string // the Services of Ingress classes: class=namespace/name, with commas between them
	InsideLabel    string // prefix of the label that lets a Namespace have names inside; empty for no such rule
}

// Watches reports whether any of the kinds are published.
func (s Settings) Watches(any Kinds) bool { return s.Kinds&any != 0 }

// WatchesRoutes reports whether routes are published. They need Gateways, and the labels of
// Namespaces.
func (s Settings) WatchesRoutes() bool { return s.Watches(routes) }

// DecodeService decodes Services from protobuf with the labels that the Settings need.
func (s Settings) DecodeService() slimpb.Decoder {
	if s.ServiceLabels != "" {
		return slimpb.ServiceWithLabels
	}
	return slimpb.Service
}

// ReadsNamespaces reports whether the labels of Namespaces matter.
func (s Settings) ReadsNamespaces() bool { return s.WatchesRoutes() || s.InsideLabel != "" }

// needs reports whether objects of a kind matter. Names lead to Services inside.
func (s Settings) needs(k Kind) bool {
	return s.Watches(k.needed) || (s.Inside || s.Servers != "") && k.Name == serviceKind
}

func (s Settings) zones() zone.Zones { return zone.Parse(s.Zones, s.Except) }

// selects reports whether a class is among the names, or there are none.
func selects(classes, class string) bool {
	return classes == "" || slices.Contains(strings.Split(classes, ","), class)
}

// Kind describes a kind of object to the API server and to manifests, and how it is converted.
type Kind struct {
	Name     string
	Plural   string                // in URLs
	Versions []schema.GroupVersion // of the API, the best one first
	Decode   slimpb.Decoder        // for objects in protobuf; nil for a kind that only exists in JSON

	New     func() APIObject
	NewList func() runtime.Object

	needed  Kinds // kinds in the Settings that need this one
	convert func(Settings, metav1.Object) *Object
}

// APIObject is an object of the API.
type APIObject interface {
	metav1.Object
	runtime.Object
}

// apiList is a list of objects of the API.
type apiList[T any] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []T `json:"items"`
}

// DeepCopyObject implements runtime.Object. A shallow copy is enough, because nobody changes one.
func (l *apiList[T]) DeepCopyObject() runtime.Object { c := *l; return &c }

const gatewayGroup = "gateway.networking.k8s.io"

func versionsOf(group string, names ...string) (list []schema.GroupVersion) {
	for _, name := range names {
		list = append(list, schema.GroupVersion{Group: group, Version: name})
	}
	return list
}

// kinds are all kinds. Routes come after what they lead to.
var kinds = []Kind{
	{
		Name: "Ingress", Plural: "ingresses", Versions: versionsOf(networkingv1.GroupName, "v1"), Decode: slimpb.Ingress,
		New: func() APIObject { return new(networkingv1.Ingress) }, NewList: func() runtime.Object { return new(networkingv1.IngressList) },
		needed: Ingresses, convert: Settings.ingress,
	},
	{
		Name: "Service", Plural: "services", Versions: []schema.GroupVersion{corev1.SchemeGroupVersion}, Decode: slimpb.Service,
		New: func() APIObject { return new(corev1.Service) }, NewList: func() runtime.Object { return new(corev1.ServiceList) },
		needed: Services, convert: Settings.service,
	},
	{
		Name: "DNSEndpoint", Plural: "dnsendpoints", Versions: versionsOf("externaldns.k8s.io", "v1alpha1"),
		New: func() APIObject { return new(apiDNSEndpoint) }, NewList: func() runtime.Object { return new(apiList[apiDNSEndpoint]) },
		needed: DNSEndpoints, convert: Settings.dnsEndpoint,
	},
	{
		Name: "Node", Plural: "nodes", Versions: []schema.GroupVersion{corev1.SchemeGroupVersion}, Decode: slimpb.Node,
		New: func() APIObject { return new(corev1.Node) }, NewList: func() runtime.Object { return new(corev1.NodeList) },
		needed: Nodes, convert: Settings.node,
	},
	{
		Name: "Gateway", Plural: "gateways", Versions: versionsOf(gatewayGroup, "v1", "v1beta1"),
		New: func() APIObject { return new(apiGateway) }, NewList: func() runtime.Object { return new(apiList[apiGateway]) },
		needed: routes, convert: Settings.gateway,
	},
	{
		Name: "ListenerSet", Plural: "listenersets", Versions: versionsOf(gatewayGroup, "v1"),
		New: func() APIObject { return new(apiListenerSet) }, NewList: func() runtime.Object { return new(apiList[apiListenerSet]) },
		needed: routes, convert: Settings.listenerSet,
	},
	routeKind("HTTPRoute", HTTPRoutes, "v1", "v1beta1"),
	routeKind("GRPCRoute", GRPCRoutes, "v1", "v1alpha2"),
	routeKind("TLSRoute", TLSRoutes, "v1", "v1alpha3", "v1alpha2"),
}

func routeKind(name string, needed Kinds, versions ...string) Kind {
	return Kind{
		Name: name, Plural: strings.ToLower(name) + "s", Versions: versionsOf(gatewayGroup, versions...),
		New: func() APIObject { return new(apiRoute) }, NewList: func() runtime.Object { return new(apiList[apiRoute]) },
		needed: needed, convert: func(_ Settings, o metav1.Object) *Object { return routeOf(name, o) },
	}
}

// All returns the kinds of object that the Settings need, but for Namespaces.
func (s Settings) All() []Kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k Kind) bool { return !s.needs(k) })
}

// Asks returns the resource to name so that a kind of object is shown, and the version of the API
// that is read. Both are empty for a kind that gives no names to the world.
func Asks(group, kind string) (resource, version string) {
	for _, k := range kinds {
		best := k.Versions[0]
		if k.Name != kind || k.Name == serviceKind || group != best.Group && group != best.String() && group != "extensions" {
			continue
		}
		if resource = kind; k.needed == routes {
			resource = "HTTPRoute"
		}
		return resource, best.String()
	}
	return "", ""
}

// Convert returns what matters here of an object, or nil if it has no names and no other object
// leads to it.
func (k Kind) Convert(s Settings, o metav1.Object) *Object {
	if ignored(o) && k.Name != gatewayKind && k.Name != serviceKind {
		return nil
	}
	return k.convert(s, o)
}

// AddToScheme adds the types of all kinds to a scheme, but for Services.
func AddToScheme(scheme *runtime.Scheme) {
	for _, k := range kinds {
		for _, version := range k.Versions {
			if k.Name == "Service" {
				continue
			}
			scheme.AddKnownTypeWithName(version.WithKind(k.Name), k.New())
			scheme.AddKnownTypeWithName(version.WithKind(k.Name+"List"), k.NewList())
			metav1.AddToGroupVersion(scheme, version)
		}
	}
}
