package explain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"go.yaml.in/yaml/v4"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/fetch"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/stub"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Cluster is a cluster that is read with the rights of a user.
type Cluster struct {
	Reader    fetch.Reader
	Namespace string // of the ConfigMap with the Corefile, which is read unless the options have one
	ConfigMap string
}

const (
	system       = "kube-system"
	kubelet      = "kubelet-config" // the ConfigMap that kubeadm keeps the settings of kubelets in
	service      = "kube-dns"
	clusterRole  = "system:coredns"
	askTheServer = "ask the server itself: kubectl exec into its Pod, see doc/explain.md"
)

// Explain does the same as the function Explain, with the Corefile and the objects of a cluster.
func (c Cluster) Explain(ctx context.Context, o Options) (*Result, error) {
	f := fetch.New(c.Reader)
	if err := c.readCorefile(ctx, f, &o); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "coredns-explain-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	body, err := check.WithManifests(o.Path, o.Corefile, folder)
	if err != nil {
		return nil, err
	}
	e := newExplainer(ctx, o)
	e.fetched, e.objectFile = f, filepath.Join(folder, "objects.json")
	if err := e.readSettings(ctx); err != nil {
		return nil, err
	}
	if err := e.rehearse(ctx, body); err != nil {
		return nil, err
	}
	e.result.Source, e.result.Unseen = fromCluster, f.Unseen
	return e.result, nil
}

func (c Cluster) readCorefile(ctx context.Context, f *fetch.Fetcher, o *Options) error {
	if len(o.Corefile) > 0 {
		return nil
	}
	data, err := f.Data(ctx, c.Namespace, c.ConfigMap)
	if err != nil {
		return err
	}
	text, _ := data["Corefile"].(string)
	if text == "" {
		return fmt.Errorf("ConfigMap %s/%s has no Corefile, or you may not see it: expected -configmap NAMESPACE/NAME, or -conf with a copy of the Corefile", c.Namespace, c.ConfigMap)
	}
	o.Path, o.Corefile = "Corefile", []byte(text)
	return nil
}

// readSettings finds out what kubelet writes into each resolv.conf.
func (e *explainer) readSettings(ctx context.Context) error {
	data, err := e.fetched.Data(ctx, system, kubelet)
	if err != nil {
		return err
	}
	var config struct {
		Domain string   `yaml:"clusterDomain"`
		DNS    []string `yaml:"clusterDNS"`
	}
	if text, ok := data["kubelet"].(string); ok {
		if err := yaml.Unmarshal([]byte(text), &config); err != nil {
			return fmt.Errorf("ConfigMap %s/%s: %w", system, kubelet, err)
		}
	}
	if e.Domain == "" {
		e.Domain = config.Domain
	}
	if e.serviceAddrs, err = e.fetched.ServiceAddrs(ctx, system, service); err != nil {
		return err
	}
	if len(e.Nameservers) == 0 {
		e.Nameservers = config.DNS
	}
	if len(e.Nameservers) == 0 {
		e.Nameservers = e.serviceAddrs
	}
	return e.fetched.Role(ctx, clusterRole)
}

// fetch reads what the look-up touches, before the server in this process starts.
func (e *explainer) fetch(ctx context.Context) error {
	for _, namespace := range []string{system, e.Namespace} {
		if err := e.fetched.Exists(ctx, namespace); err != nil {
			return err
		}
	}
	if e.Pod != "" {
		if err := e.fetchPod(ctx); err != nil {
			return err
		}
	}
	if err := e.reread(ctx); err != nil {
		return err
	}
	p, _ := objects.Find(e.objects.Pods, e.Namespace, e.Pod)
	conf := e.resolvConf(p)
	names := slices.Concat(conf.Names(e.Name, Glibc), e.namesInCorefile())
	for i := 0; i < len(names); i++ {
		t, ok := e.touches(names[i])
		if !ok || t.pod {
			continue // a Pod by its address is told by the server alone
		}
		target, err := e.fetched.Touch(ctx, t.wanted())
		if err != nil {
			return err
		}
		if target = dns.CanonicalName(target); target != "." && !slices.Contains(names, target) {
			names = append(names, target)
		}
	}
	return e.reread(ctx)
}

// fetchPod reads the Pod that asks.
func (e *explainer) fetchPod(ctx context.Context) error {
	switch found, seen, err := e.fetched.Pod(ctx, e.Namespace, e.Pod); {
	case err != nil:
		return err
	case !seen:
		return absent("you may not see Pod %s/%s, which decides what is asked: write the Namespace alone behind -from, for a Pod without settings of its own", e.Namespace, e.Pod)
	case !found:
		return noPod(e.Options)
	}
	return nil
}

// reread writes the objects that were read, and reads them as manifests.
func (e *explainer) reread(ctx context.Context) (err error) {
	if err := e.fetched.Write(e.objectFile); err != nil {
		return err
	}
	e.objects, err = objects.Read(ctx, []string{e.objectFile})
	return err
}

func (t *touched) wanted() fetch.Wanted {
	w := fetch.Wanted{Namespace: t.Namespace, Service: t.Name}
	if len(t.below) == 1 {
		w.Endpoint = t.below[0]
	}
	return w
}

// namesInCorefile returns the words of the server block that are names of the cluster, such as the targets of
// rewrite.
func (e *explainer) namesInCorefile() (names []string) {
	for _, tokens := range e.served.Block.Tokens {
		for _, t := range tokens {
			if _, ok := dns.IsDomainName(t.Text); !ok {
				continue
			}
			if name := dns.CanonicalName(t.Text); strings.Contains(name, ".svc.") {
				names = append(names, name)
			}
		}
	}
	return names
}

// blind returns why it cannot be told what a name is answered. It reports false if that can be told.
func (e *explainer) blind(name string, replies []inprocess.Reply) (Cause, bool) {
	if e.fetched == nil || stub.Answered(replies) {
		return Cause{}, false
	}
	names := []string{name}
	for _, r := range replies {
		names = append(names, r.Targets...)
	}
	c := Cause{Remedy: askTheServer, weight: certain, unsure: true}
	for _, n := range names {
		if c.Text = e.blindAt(n); c.Text != "" {
			break
		}
		t, ok := e.touches(n)
		kind := e.fetched.Blind[t.Namespace]
		if !ok || kind == "" {
			continue
		}
		c.Text = fmt.Sprintf("you may not see the %s of Namespace %s", kind, t.Namespace)
		if !e.objects.Namespaces[t.Namespace] {
			c.weight = elsewhere // there need not be one
		}
		break
	}
	if slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.Plugin == "k8s_gateway" }) {
		c.Text = "the Ingresses, routes and load balancers of k8s_gateway are not read"
	}
	if c.Text == "" {
		return c, false
	}
	c.Text += ": what the server answers cannot be told"
	return c, true
}

// blindAt says why of a name too little is read, or returns "".
func (e *explainer) blindAt(name string) string {
	for _, o := range e.served.View.Origins {
		switch inside := dns.IsSubDomain(dns.Fqdn(o.String()), name); {
		case inside && o.Reverse():
			return "a reverse name may stand for any object, and only those are read that other names touch"
		case inside && o.ClusterSet:
			return "ServiceImports are not read"
		}
	}
	if t, ok := e.touches(name); ok && t.pod && e.served.View.Pods == resolve.PodsVerified {
		return "not all Pods are read, so one may have this address"
	}
	return ""
}

// noteFetched is about what a look from outside cannot show.
func (e *explainer) noteFetched() {
	if len(e.serviceAddrs) > 0 && len(e.Nameservers) > 0 && !meet(e.serviceAddrs, e.Nameservers) {
		e.add("kubelet writes the nameserver %s, and Service %s/%s has %s: another resolver stands between them, such as a cache on the node",
			strings.Join(e.Nameservers, " "), system, service, strings.Join(e.serviceAddrs, " "))
	}
	if zones := e.zones(); e.Domain != "" && !slices.Contains(zones, dns.CanonicalName(e.Domain)) {
		e.add("kubelet writes the cluster domain %s, and the Corefile serves %s", e.Domain, strings.Join(zones, " "))
	}
	for _, q := range e.result.Questions {
		if _, ours := e.zoneOf(q.Name); !ours {
			e.add("names outside were asked from this machine, by the Corefile's upstreams as they are here")
			return
		}
	}
}

// seesPods reports whether all Pods of a Namespace are known that its Services select.
func (e *explainer) seesPods(namespace string) bool {
	return e.fetched == nil || e.fetched.SeesPods(namespace)
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(text string) bool { return slices.Contains(b, text) })
}
