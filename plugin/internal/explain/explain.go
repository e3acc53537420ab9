package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/fetch"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/resolvconf"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/stub"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Options say what is asked, and by whom.
type Options struct {
	Path       string `json:"-"` // of the Corefile
	Corefile   []byte `json:"-"`
	Name       string
	Types      []uint16
	Namespace  string   // of the Pod that asks
	Pod        string   // its name, or empty for any Pod of the Namespace
	NodeSearch []string // the search path of the node
	Libc       Libc

	// Asker is what a running server does not know of the Pod, if the command does.
	Asker *resolvconf.Pod `json:",omitempty"`

	Domain      string   // that kubelet writes, or empty for the zone of the Corefile
	Nameservers []string // that kubelet writes, if they are known
}

// Question is one name that the resolver asks for.
type Question struct {
	Number  int               `json:"number"`
	Name    string            `json:"name"`
	Replies []inprocess.Reply `json:"replies"`
	Cause   Cause             `json:"cause"`
	Decides bool              `json:"decides"`
}

// Result is the way of a look-up.
type Result struct {
	Name       string          `json:"name"`
	From       string          `json:"from"`
	Source     string          `json:"source"`
	Data       *Data           `json:"data,omitempty"`   // of a running server
	Unseen     []string        `json:"unseen,omitempty"` // objects that the user may not see
	ResolvConf resolvconf.Conf `json:"resolvConf"`
	Libc       Libc            `json:"libc"`
	Questions  []Question      `json:"questions"`
	Notes      []string        `json:"notes,omitempty"`
	Cause      string          `json:"cause"`
	Remedy     string          `json:"remedy,omitempty"`
	Exit       int             `json:"exit"`
}

// The sources of what a result says.
const (
	fromManifests = "manifests"
	fromCluster   = "cluster"
	fromServer    = "server"
)

// The exit codes.
const (
	exitAnswered = 0
	exitMissing  = 3
	// ExitUndecided is for what cannot be told.
	ExitUndecided = 4
)

// explainer explains one look-up.
type explainer struct {
	Options
	all     []fastpath.Served // of the server that is asked
	served  fastpath.Served   // the first of them, or the one that has the name at hand
	objects *objects.Set
	known   bool // the objects are what a running server knows

	// Of a cluster that is read; fetched is nil otherwise.
	fetched      *fetch.Fetcher
	objectFile   string
	serviceAddrs []string // of the Service of the DNS server

	pod    *objects.Pod
	asker  inprocess.Asker
	asked  map[string][]inprocess.Reply
	result *Result
}

func newExplainer(ctx context.Context, o Options) *explainer {
	e := &explainer{Options: o, asker: inprocess.New(ctx), asked: map[string][]inprocess.Reply{}}
	e.asker.Client = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	return e
}

// Explain asks a server in this process, which it makes from the Corefile without opening a socket.
func Explain(ctx context.Context, o Options) (*Result, error) {
	e := newExplainer(ctx, o)
	if err := e.rehearse(ctx, o.Corefile); err != nil {
		return nil, err
	}
	e.result.Source = fromManifests
	return e.result, nil
}

// rehearse explains by the server that a Corefile makes, but for the plugins that open something.
func (e *explainer) rehearse(ctx context.Context, corefile []byte) error {
	body, err := check.Without(e.Path, corefile, opening)
	if err != nil {
		return err
	}
	before := log.Writer()
	log.SetOutput(io.Discard) // plugins write of what is said here anyway
	defer log.SetOutput(before)
	err = check.Rehearse(e.Path, body, func(i *caddy.Instance, servers []caddy.Server) error {
		return e.run(ctx, i, servers)
	})
	if err == nil {
		e.result.judge(e.Path, e.Corefile)
	}
	return err
}

// run starts what plugins start but for sockets, and asks.
func (e *explainer) run(ctx context.Context, i *caddy.Instance, servers []caddy.Server) error {
	if e.fetched != nil {
		if err := e.choose(i, servers); err != nil {
			return err
		}
		if err := e.fetch(ctx); err != nil {
			return err
		}
	}
	for _, start := range slices.Concat(i.OnFirstStartup, i.OnStartup) {
		if err := start(); err != nil {
			return err
		}
	}
	defer func() {
		for _, end := range i.OnShutdown {
			_ = end()
		}
	}()
	if err := e.choose(i, servers); err != nil {
		return err
	}
	if e.fetched != nil {
		return e.explain()
	}
	paths := e.manifests()
	if len(paths) == 0 {
		return errors.New("expected the property manifests in the Corefile, because no cluster is asked")
	}
	var err error
	if e.objects, err = objects.Read(ctx, paths); err != nil {
		return err
	}
	return e.explain()
}

// choose chooses the server of an instance that has the cluster.
func (e *explainer) choose(i *caddy.Instance, servers []caddy.Server) error {
	var own []*dnsserver.Server
	for _, s := range servers {
		if server, ok := s.(*dnsserver.Server); ok {
			own = append(own, server)
		}
	}
	return e.chooseFrom(fastpath.ServedBy(i), own)
}

func (e *explainer) chooseFrom(all []fastpath.Served, servers []*dnsserver.Server) error {
	for _, served := range all {
		for _, server := range servers {
			if served.At(server.Addr) {
				e.served, e.asker.Server = served, server
				e.all = slices.DeleteFunc(slices.Clone(all), func(s fastpath.Served) bool { return !s.At(server.Addr) })
				return nil
			}
		}
	}
	return errNoServer
}

// manifests returns the paths of the property manifests of all server blocks that are asked.
func (e *explainer) manifests() (paths []string) {
	for _, s := range e.all {
		d := caddyfile.NewDispenserTokens(e.Path, s.Block.Tokens[s.Directive])
		for d.Next() {
			for d.NextBlock() {
				if name, args := d.Val(), d.RemainingArgs(); name == "manifests" {
					paths = append(paths, inRoot(s.Block.Configs[0].Root, args)...)
				}
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// inRoot returns paths as the plugin root makes them.
func inRoot(root string, paths []string) (all []string) {
	for _, p := range paths {
		if !filepath.IsAbs(p) {
			p = filepath.Join(root, p)
		}
		all = append(all, p)
	}
	return all
}

func (e *explainer) snapshot() *cluster.Snapshot { return e.served.Store.Load() }

func (e *explainer) exposes(namespace string) bool {
	return e.served.View.Exposes(e.snapshot(), namespace)
}

func (e *explainer) podsOff() bool { return e.served.View.Pods == resolve.PodsDisabled }

// shown reports whether the server knows a Service.
func (e *explainer) shown(s *corev1.Service) bool {
	return e.snapshot().Service(cluster.Key{Namespace: s.Namespace, Name: s.Name}) != nil
}

// zones returns the cluster's zones but for reverse zones, longest first.
func (e *explainer) zones() (zones []string) {
	for _, o := range e.served.View.Origins {
		if !o.Reverse() {
			zones = append(zones, dns.Fqdn(o.String()))
		}
	}
	slices.SortStableFunc(zones, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return zones
}

func (e *explainer) zoneOf(name string) (string, bool) {
	for _, z := range e.zones() {
		if dns.IsSubDomain(z, name) {
			return z, true
		}
	}
	return "", false
}

func (e *explainer) explain() error {
	r := &Result{Name: e.Name, From: e.Namespace, Libc: e.Libc}
	e.result = r
	if e.Pod != "" {
		r.From += "/" + e.Pod
		if err := e.findPod(); err != nil {
			return err
		}
	}
	r.ResolvConf = e.resolvConf(e.pod)
	if e.known {
		e.objects = e.objectsKnown()
	}
	verdict := e.walk()
	e.conclude(verdict)
	e.note(verdict)
	return nil
}

// findPod finds the Pod that asks, and its address.
func (e *explainer) findPod() error {
	if e.known {
		e.pod = e.podKnown()
	} else {
		e.pod, _ = objects.Find(e.objects.Pods, e.Namespace, e.Pod)
	}
	switch {
	case e.pod == nil && !e.known:
		return absent("the manifests have no Pod %s/%s: write one of theirs behind -from, or the Namespace alone", e.Namespace, e.Pod)
	case e.pod == nil && e.snapshot().Synced() && e.knowsPods():
		return absent("the server knows no Pod %s/%s with an address: write one that runs behind -from, or the Namespace alone", e.Namespace, e.Pod)
	case e.pod != nil:
		if a, err := netip.ParseAddr(e.pod.Status.PodIP); err == nil {
			e.asker.Client = a
		}
	}
	return nil
}

// walk asks for one name after another, as the resolver does.
func (e *explainer) walk() stub.Outcome {
	return stub.Walk(&e.result.ResolvConf, e.Name, e.Libc, func(name string) []inprocess.Reply {
		q := Question{Number: len(e.result.Questions) + 1, Name: name, Replies: e.replies(name)}
		q.Cause = e.why(name, q.Replies)
		e.result.Questions = append(e.result.Questions, q)
		return q.Replies
	})
}

func (e *explainer) replies(name string) []inprocess.Reply {
	if known, ok := e.asked[name]; ok {
		return known
	}
	var all []inprocess.Reply
	for _, qtype := range e.Types {
		r := e.asker.Ask(name, qtype)
		if r.Plugin == "clusterdns" {
			r.Plugin = e.served.Directive // the package has one name, the plugin two
		}
		all = append(all, r)
	}
	e.asked[name] = all
	return all
}

// reversed says why the name of an address has its reply.
func (e *explainer) reversed(name string, replies []inprocess.Reply) Cause {
	c := e.outside(replies)
	address := dnsutil.ExtractAddressFromReverse(name)
	served := slices.ContainsFunc(e.served.View.Origins, func(o resolve.Origin) bool { return o.Reverse() && dns.IsSubDomain(dns.Fqdn(o.String()), name) })
	if !served || address == "" || exists(replies) || unanswered(replies) {
		return c
	}
	c.Text = "no Service and no ready endpoint of a Service has the address " + address + ", so it has no name: " + c.Text
	return c
}

// outside says why a name outside the cluster has its replies.
func (e *explainer) outside(replies []inprocess.Reply) Cause {
	r := replies[0]
	for _, other := range replies {
		if other.Answers() {
			r = other
		}
	}
	switch by := cmp.Or(r.Plugin, "no plugin"); {
	case r.Rcode == "none":
		return Cause{Text: fmt.Sprintf("no reply within %v", inprocess.Patience), Remedy: "look whether the upstream of forward can be reached from this server", weight: failedOutside}
	case r.Rcode == "SERVFAIL":
		return Cause{Text: "SERVFAIL: the upstream does not answer, or fails", Remedy: "look whether the upstream of forward can be reached from this server", weight: failedOutside}
	case r.Answers():
		return Cause{Text: "answered by " + by, weight: certain}
	case r.Rcode == "NOERROR":
		return Cause{Text: by + " knows the name, without such records", weight: noService}
	default:
		return Cause{Text: fmt.Sprintf("%s says %s%s", by, r.Rcode, inWords[r.Rcode]), weight: noService}
	}
}

// inWords says what some codes mean.
var inWords = map[string]string{"NXDOMAIN": ", so there is no such name", "REFUSED": ", so it does not answer for this name"}

// conclude finds the question that decides, and says why.
func (e *explainer) conclude(v stub.Outcome) {
	r := e.result
	last := len(r.Questions) - 1
	decides := last
	unsure := slices.IndexFunc(r.Questions, func(q Question) bool { return q.Cause.unsure && q.Cause.weight == certain })
	switch {
	case unsure >= 0:
		decides = unsure
	case v != stub.Found:
		decides = heaviest(r.Questions)
	}
	q := &r.Questions[decides]
	q.Decides = true
	r.Cause, r.Remedy, r.Exit = q.Cause.Text, q.Cause.Remedy, exitMissing
	switch {
	case r.ResolvConf.Elsewhere != "":
		r.Cause, r.Exit = r.ResolvConf.Elsewhere, ExitUndecided
	case q.Cause.unsure:
		r.Exit = ExitUndecided
	case v == stub.Found:
		r.Cause, r.Exit = fmt.Sprintf("question %d is answered", q.Number), exitAnswered
	case unanswered(q.Replies):
		r.Exit = ExitUndecided
	case unanswered(r.Questions[last].Replies) && (e.fetched == nil || q.Cause.weight < certain): // else it was asked from this machine
		r.Exit = ExitUndecided
	}
}

// heaviest returns the first question of those whose cause has the largest weight.
func heaviest(all []Question) (at int) {
	for i := range all {
		if all[i].Cause.weight > all[at].Cause.weight {
			at = i
		}
	}
	return at
}

func unanswered(replies []inprocess.Reply) bool {
	return slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.Rcode == "SERVFAIL" || r.Rcode == "none" })
}

var errNoServer = errors.New("the Corefile has no server block with kubernetes or clusterdns for plain DNS")

// opening are the plugins that listen, connect to others, or write files at a start. They answer nothing from
// the cluster.
var opening = []string{"health", "ready", "prometheus", "pprof", "dnstap", "reload", "loop", "transfer", "secondary", "sign", "dynupdate", "bind", "trace", "nomad", "multisocket", "shed"}
