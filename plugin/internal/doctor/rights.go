package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// resource is a kind of object that the server reads.
type resource struct{ group, name string }

func (r resource) String() string {
	if r.group == "" {
		return r.name
	}
	return r.name + "." + r.group
}

// needs returns what a server with a Corefile reads. Without the Corefile it is what every server reads.
func needs(o *check.Outline) []resource {
	all := []resource{{"", "services"}, {"", "namespaces"}}
	if o == nil {
		return append(all, resource{"discovery.k8s.io", "endpointslices"})
	}
	if len(o.Lines("kubernetes", "noendpoints")) == 0 {
		all = append(all, resource{"discovery.k8s.io", "endpointslices"})
	}
	if slices.ContainsFunc(o.Lines("kubernetes", "pods"), isWord("verified")) || slices.ContainsFunc(o.Lines("kubernetes", "search"), isWord("pods")) {
		all = append(all, resource{"", "pods"})
	}
	if len(o.Lines("kubernetes", "multicluster")) > 0 {
		all = append(all, resource{"multicluster.x-k8s.io", "serviceimports"})
	}
	return append(all, published(o)...)
}

func isWord(word string) func([]string) bool {
	return func(words []string) bool { return len(words) > 0 && words[0] == word }
}

// published returns what k8s_gateway reads.
func published(o *check.Outline) (all []resource) {
	const gateway = "gateway.networking.k8s.io"
	if len(o.Lines("k8s_gateway", "")) == 0 {
		return nil
	}
	kinds := slices.Concat(o.Lines("k8s_gateway", "resources")...)
	if len(kinds) == 0 {
		kinds = []string{"Ingress"}
	}
	for _, kind := range kinds {
		switch strings.ToLower(kind) {
		case "ingress":
			all = append(all, resource{"networking.k8s.io", "ingresses"})
		case "httproute", "grpcroute", "tlsroute":
			all = append(all, resource{gateway, "gateways"}, resource{gateway, "listenersets"}, resource{gateway, strings.ToLower(kind) + "s"})
		case "dnsendpoint":
			all = append(all, resource{"externaldns.k8s.io", "dnsendpoints"})
		}
	}
	return all
}

// rights checks that the server may read what it serves.
func rights(ctx context.Context, p *patient.Patient) Result {
	replicas, err := p.Replicas()
	if err != nil {
		return unseen("the server's ServiceAccount", err)
	}
	all := needs(nil)
	if corefiles, err := p.Corefiles(); err == nil {
		if r := otherwise(corefiles); r.Light != "" {
			return r
		}
		all = nil
		for _, c := range corefiles {
			all = append(all, needs(c.Outline)...)
		}
	}
	slices.SortFunc(all, func(a, b resource) int { return strings.Compare(a.String(), b.String()) })
	all = slices.Compact(all)
	account := replicas[0].Spec.ServiceAccountName
	refused, err := missing(ctx, p, replicas[0].Namespace, account, all)
	user := fmt.Sprintf("ServiceAccount %s/%s", replicas[0].Namespace, account)
	switch {
	case err != nil:
		return unseen("the rights of "+user, err)
	case len(refused) > 0:
		return red(grants(refused), "%s may not %s", user, strings.Join(refused, ", "))
	}
	var names []string
	for _, one := range all {
		names = append(names, one.String())
	}
	return green("%s may list and watch %s", user, strings.Join(names, ", "))
}

// otherwise says whose rights count where it is not the ServiceAccount that reads the cluster.
func otherwise(corefiles []*patient.Corefile) (r Result) {
	for _, c := range corefiles {
		for _, property := range []string{"kubeconfig", "endpoint"} {
			if len(c.Outline.Lines("kubernetes", property)) > 0 {
				return unknown("kubectl auth can-i list services -A, as that user", "the server reads the cluster by the property %s of %s, as a user that is not seen here", property, c.Path)
			}
		}
		if len(c.Outline.Lines("kubernetes", "manifests")) > 0 {
			return green("the server reads files (manifests), and needs no rights")
		}
	}
	return r
}

// grants says what grants the rights that are missing.
func grants(refused []string) string {
	all := strings.Join(refused, " ")
	switch {
	case strings.Contains(all, "multicluster"):
		return "kubectl apply -k deploy/multicluster"
	case strings.Contains(all, "networking.k8s.io"), strings.Contains(all, "externaldns"):
		return "kubectl apply -k deploy/published"
	}
	return "kubectl apply -k an overlay of deploy/kubernetes, or kubeadm init phase addon coredns (doc/install.md)"
}

// missing returns what an account may not do.
func missing(ctx context.Context, p *patient.Patient, namespace, account string, all []resource) (found []string, err error) {
	verbs := []string{"list", "watch"}
	refused, errs := make([]string, len(all)*len(verbs)), make([]error, len(all)*len(verbs))
	var asked sync.WaitGroup
	for i := range refused {
		what, verb := all[i/len(verbs)], verbs[i%len(verbs)]
		asked.Go(func() {
			may, err := allowed(ctx, p, namespace, account, authorizationv1.ResourceAttributes{Group: what.group, Resource: what.name, Verb: verb})
			if errs[i] = err; err == nil && !may {
				refused[i] = verb + " " + what.String()
			}
		})
	}
	asked.Wait()
	for i := range refused {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if refused[i] != "" {
			found = append(found, refused[i])
		}
	}
	return found, nil
}

// allowed reports whether an account may do something. Everybody may ask that of himself.
func allowed(ctx context.Context, p *patient.Patient, namespace, account string, what authorizationv1.ResourceAttributes) (bool, error) {
	if p.Itself() != nil {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &what}}
		review.TypeMeta = metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"}
		err := p.API.Review(ctx, "selfsubjectaccessreviews", review)
		return review.Status.Allowed, api.May("create selfsubjectaccessreviews", err)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + namespace + ":" + account,
		Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
		ResourceAttributes: &what,
	}}
	review.TypeMeta = metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SubjectAccessReview"}
	err := p.API.Review(ctx, "subjectaccessreviews", review)
	return review.Status.Allowed, api.May("create subjectaccessreviews", err)
}
