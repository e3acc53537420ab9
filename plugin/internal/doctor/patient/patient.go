package patient

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
)

// Options say which DNS server is examined, and from where.
type Options struct {
	Kubeconfig string // empty for the user's, or the Pod's ServiceAccount
	Context    string
	Service    string // NAMESPACE/NAME; empty for the one that kubelet's Pods use
	Corefile   string // a file to read in place of what the Pods have
}

// Patient is the DNS of a cluster. Its functions wait until something is known, and may be called at any time.
type Patient struct {
	Options
	API *api.Client

	Service   func() (*corev1.Service, error)
	Replicas  func() ([]*Replica, error)
	Beside    func() ([]corev1.Pod, error) // other Pods of the Service's Namespace
	Corefiles func() ([]*Corefile, error)
	Kubelets  func() (Kubelets, error)
	asked     func() error // asks the replicas
}

// New makes a patient. Everything about it ends with the context.
func New(ctx context.Context, o Options) (*Patient, error) {
	a, err := api.Open(o.Kubeconfig, o.Context)
	if err != nil {
		return nil, err
	}
	p := &Patient{Options: o, API: a}
	p.Service = sync.OnceValues(func() (*corev1.Service, error) { return p.findService(ctx) })
	pods := sync.OnceValues(func() ([]corev1.Pod, error) { return p.findPods(ctx) })
	p.Replicas = sync.OnceValues(func() ([]*Replica, error) { return p.findReplicas(ctx, pods) })
	p.Beside = sync.OnceValues(func() ([]corev1.Pod, error) { return p.findBeside(pods) })
	p.Corefiles = sync.OnceValues(func() ([]*Corefile, error) { return p.readCorefiles(ctx) })
	p.Kubelets = sync.OnceValues(func() (Kubelets, error) { return p.askKubelets(ctx) })
	p.asked = sync.OnceValue(func() error { return p.askAll(ctx) })
	return p, nil
}

// dnsLabel is the label that kubeadm, kops, k3s and the managed clusters give to the Service of DNS and its Pods.
const dnsLabel = "k8s-app=kube-dns"

// findService finds the Service of the DNS server.
func (p *Patient) findService(ctx context.Context) (*corev1.Service, error) {
	namespace, name, named := strings.Cut(p.Options.Service, "/")
	if !named {
		namespace, name = "kube-system", p.Options.Service
	}
	path, selector := "/api/v1/namespaces/"+namespace+"/services", "metadata.name="+cmp.Or(name, "kube-dns")
	all, more, err := api.List[corev1.Service](ctx, p.API, path)
	if err == nil && more { // it may be among those that are not listed
		named, _, errNamed := api.List[corev1.Service](ctx, p.API, path, "fieldSelector", selector)
		all, err = append(named, all...), errNamed
	}
	if err != nil {
		return nil, api.May("list services in "+namespace, err)
	}
	if name != "" {
		all = slices.DeleteFunc(all, func(s corev1.Service) bool { return s.Name != name })
	} else {
		all = slices.DeleteFunc(all, func(s corev1.Service) bool { return !servesDNS(&s) })
		slices.SortStableFunc(all, func(a, b corev1.Service) int { return cmp.Compare(likeness(&a), likeness(&b)) })
	}
	if len(all) == 0 {
		return nil, api.Errorf("name it: -service NAMESPACE/NAME", "%s has no Service of DNS (%s, port 53)", namespace, dnsLabel)
	}
	return &all[0], nil
}

func servesDNS(s *corev1.Service) bool {
	asks53 := slices.ContainsFunc(s.Spec.Ports, func(port corev1.ServicePort) bool { return port.Port == 53 })
	return asks53 && len(s.Spec.Selector) > 0 && likeness(s) < 3
}

// likeness is lowest for the Service that the Pods of a cluster ask.
func likeness(s *corev1.Service) int {
	switch {
	case s.Name == "kube-dns":
		return 0
	case s.Labels["kubernetes.io/name"] == "CoreDNS", s.Name == "coredns":
		return 1
	case s.Labels["k8s-app"] == "kube-dns" && s.Name != "kube-dns-upstream":
		return 2
	}
	return 3
}

// findPods returns the Pods of the Service's Namespace.
func (p *Patient) findPods(ctx context.Context) ([]corev1.Pod, error) {
	s, err := p.Service()
	if err != nil {
		return nil, err
	}
	all, more, err := api.List[corev1.Pod](ctx, p.API, "/api/v1/namespaces/"+s.Namespace+"/pods")
	if err != nil || !more {
		return all, api.May("list pods in "+s.Namespace, err)
	}
	selector := []string{}
	for key, value := range s.Spec.Selector {
		selector = append(selector, key+"="+value)
	}
	all, _, err = api.List[corev1.Pod](ctx, p.API, "/api/v1/namespaces/"+s.Namespace+"/pods", "labelSelector", strings.Join(selector, ","))
	return all, api.May("list pods in "+s.Namespace, err)
}

// selected reports whether a Service leads to a Pod.
func selected(s *corev1.Service, pod *corev1.Pod) bool {
	for key, value := range s.Spec.Selector {
		if pod.Labels[key] != value {
			return false
		}
	}
	return len(s.Spec.Selector) > 0
}

// findReplicas returns the Pods behind the Service, but for those that have ended or are about to.
func (p *Patient) findReplicas(ctx context.Context, pods func() ([]corev1.Pod, error)) (found []*Replica, err error) {
	all, err := pods()
	if err != nil {
		return nil, err
	}
	s, err := p.Service()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].DeletionTimestamp == nil && selected(s, &all[i]) && all[i].Status.Phase != corev1.PodSucceeded && all[i].Status.Phase != corev1.PodFailed {
			found = append(found, newReplica(ctx, p, s, &all[i]))
		}
	}
	if len(found) == 0 {
		return nil, api.Errorf("look at the Deployment: kubectl -n "+s.Namespace+" describe deployment coredns", "the Service leads to no Pod")
	}
	return found, nil
}

// findBeside returns the Pods of the Namespace that the Service does not lead to.
func (p *Patient) findBeside(pods func() ([]corev1.Pod, error)) ([]corev1.Pod, error) {
	all, err := pods()
	if err != nil {
		return nil, err
	}
	s, err := p.Service()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(pod corev1.Pod) bool { return selected(s, &pod) }), nil
}

// Itself returns the replica in whose Pod this process runs, or nil.
func (p *Patient) Itself() *Replica {
	all, err := p.Replicas()
	if err != nil || !p.API.InPod {
		return nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, r := range all {
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr() == r.Addr {
				return r
			}
		}
	}
	return nil
}
