package fetch

import (
	"maps"
	"slices"
)

// kind is a kind of object.
type kind struct {
	version string // of the API, as objects have it
	name    string
	path    string // of the version
	plural  string
}

var (
	namespaces    = kind{"v1", "Namespace", "/api/v1", "namespaces"}
	services      = kind{"v1", "Service", "/api/v1", "services"}
	pods          = kind{"v1", "Pod", "/api/v1", "pods"}
	configMaps    = kind{"v1", "ConfigMap", "/api/v1", "configmaps"}
	endpointSlice = kind{"discovery.k8s.io/v1", "EndpointSlice", "/apis/discovery.k8s.io/v1", "endpointslices"}
	policies      = kind{"networking.k8s.io/v1", "NetworkPolicy", "/apis/networking.k8s.io/v1", "networkpolicies"}
	events        = kind{"v1", "Event", "/api/v1", "events"}
	clusterRoles  = kind{"rbac.authorization.k8s.io/v1", "ClusterRole", "/apis/rbac.authorization.k8s.io/v1", "clusterroles"}
)

// in returns the path of a kind in a Namespace, or in all if it is empty.
func (k kind) in(namespace string) string {
	if namespace == "" {
		return k.path + "/" + k.plural
	}
	return k.path + "/namespaces/" + namespace + "/" + k.plural
}

// object is an object as the API server gives it.
type object map[string]any

func (o object) at(fields ...string) any {
	var v any = map[string]any(o)
	for _, f := range fields {
		m, _ := v.(map[string]any)
		v = m[f]
	}
	return v
}

func (o object) text(fields ...string) string {
	s, _ := o.at(fields...).(string)
	return s
}

// kept are the fields of an object that are kept, by kind. An object without a row keeps its spec.
var kept = map[string]map[string][]string{
	"Pod": {
		"spec":   {"hostname", "subdomain", "hostNetwork", "dnsPolicy", "dnsConfig", "os", "nodeSelector"},
		"status": {"phase", "podIP", "podIPs", "reason", "message", "conditions", "initContainerStatuses", "containerStatuses"},
	},
	"Service": {"spec": nil, "status": {"loadBalancer"}},
}

// slim returns an object without what nobody needs, such as the environment of containers.
func (k kind) slim(o object) object {
	metadata, _ := o.at("metadata").(map[string]any)
	slimmed := object{"apiVersion": k.version, "kind": k.name, "metadata": only(metadata, "name", "namespace", "labels", "deletionTimestamp")}
	parts, listed := kept[k.name]
	for _, name := range slices.Sorted(maps.Keys(o)) {
		part, isMap := o[name].(map[string]any)
		fields, wanted := parts[name]
		switch {
		case name == "apiVersion", name == "kind", name == "metadata", name == "data", name == "binaryData", listed && !wanted:
		case isMap && len(fields) > 0:
			slimmed[name] = only(part, fields...)
		default:
			slimmed[name] = o[name]
		}
	}
	return slimmed
}

func only(m map[string]any, fields ...string) map[string]any {
	few := map[string]any{}
	for _, f := range fields {
		if v, ok := m[f]; ok {
			few[f] = v
		}
	}
	return few
}
