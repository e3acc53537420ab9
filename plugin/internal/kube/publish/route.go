package publish

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

const (
	gatewayKind     = "Gateway"
	listenerSetKind = "ListenerSet"
	ingressKind     = "Ingress"
	serviceKind     = "Service"
)

// apiRoute is an HTTPRoute, a GRPCRoute or a TLSRoute.
type apiRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Hostnames  []string       `json:"hostnames"`
		ParentRefs []apiParentRef `json:"parentRefs"`
	} `json:"spec"`
	Status struct {
		Parents []struct {
			ParentRef  apiParentRef       `json:"parentRef"`
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"parents"`
	} `json:"status"`
}

// DeepCopyObject implements runtime.Object.
func (r *apiRoute) DeepCopyObject() runtime.Object { c := *r; return &c }

// apiParentRef names a Gateway or a ListenerSet, or a part of it.
type apiParentRef struct {
	Group       *string `json:"group"`
	Kind        *string `json:"kind"`
	Namespace   *string `json:"namespace"`
	Name        string  `json:"name"`
	SectionName *string `json:"sectionName"`
	Port        *int32  `json:"port"`
}

// id returns what a reference of an object in a Namespace leads to. The kind is empty if it is
// not of the Gateway API.
func (r apiParentRef) id(namespace string) ID {
	id := ID{ptr.Deref(r.Kind, gatewayKind), cluster.Key{Namespace: ptr.Deref(r.Namespace, namespace), Name: r.Name}}
	if ptr.Deref(r.Group, gatewayGroup) != gatewayGroup {
		id.Kind = ""
	}
	return id
}

// route is what matters of a route.
type route struct {
	hostnames []string // lower case; empty for all of a listener's
	parents   []parent // those that have accepted the route
}

// parent is a part of a Gateway or of a ListenerSet.
type parent struct {
	ID
	section string // name of a listener; empty for all
	port    int32  // 0 for all
}

func (r *route) equal(other *route) bool {
	if r == nil || other == nil {
		return r == other
	}
	return slices.Equal(r.hostnames, other.hostnames) && slices.Equal(r.parents, other.parents)
}

// routeOf converts a route. Each of its references has a Namespace of its own.
func routeOf(kind string, obj metav1.Object) *Object {
	in := obj.(*apiRoute)
	out := new(route)
	for _, ref := range in.Spec.ParentRefs {
		p := parentOf(ref, in.Namespace)
		known := p.Kind == gatewayKind || p.Kind == listenerSetKind
		if known && in.acceptedBy(p) && !slices.Contains(out.parents, p) {
			out.parents = append(out.parents, p)
		}
	}
	if len(out.parents) == 0 {
		return nil
	}
	o := newObject(kind, in)
	for i, host := range in.Spec.Hostnames {
		if o.hostKey(host, "spec.hostnames[%d]", i) != "" {
			out.hostnames = append(out.hostnames, strings.ToLower(host))
		}
	}
	if len(out.hostnames) > 0 || len(in.Spec.Hostnames) == 0 {
		o.route = out
	}
	return o
}

func parentOf(r apiParentRef, namespace string) parent {
	return parent{r.id(namespace), ptr.Deref(r.SectionName, ""), ptr.Deref(r.Port, 0)}
}

// acceptedBy reports whether a controller has accepted the route for the parent.
func (r *apiRoute) acceptedBy(p parent) bool {
	for _, status := range r.Status.Parents {
		if parentOf(status.ParentRef, r.Namespace) == p && accepted(status.Conditions) {
			return true
		}
	}
	return false
}
