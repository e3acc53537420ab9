package published

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/clusterdns/clusterdns/cmd/coredns/bundle"
	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

var seed = flag.Uint64("seed", 1, "what the objects and the questions are made from")

const (
	// clients is how many questions are in progress at a time.
	clients = 8
	// fewest is how many questions must have been compared for a meaningful result.
	fewest = 20_000
	// printed is how many differences of a kind are printed.
	printed = 5
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := dnsserver.SetDirectives(bundle.Directives); err != nil {
		log.Fatal(err)
	}
	caddy.Quiet, dnsserver.Quiet = true, true
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// TestDifferences compares both under one setting after the other, and again when objects have
// changed.
func TestDifferences(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server and the plugin k8s_gateway when it runs for the first time")
	}
	c := startCluster(t)
	worlds := []*world{generate(*seed, 0), generate(*seed, 1)}
	names, sum := namesOf(worlds...), newTally(t)
	addresses := map[*setting][2]string{}
	for _, s := range settings {
		other, _ := startOther(t, s, kubeconfig(t, c.Cluster))
		addresses[s] = [2]string{other, startOurs(t, s, kubeconfig(t, c.Cluster))}
	}
	for round, w := range worlds {
		hosts := c.become(t, w, round)
		for i, s := range settings {
			for _, address := range addresses[s] {
				awaitMarkers(t, s, address, hosts)
			}
			sum.compare(newScene(s, w), addresses[s], questions(*seed+uint64(10*round+i), names))
		}
	}
	sum.judge(t)
}

// TestStandardDefinitions starts both with the standard definitions of today, which serve TLSRoutes in
// one version.
func TestStandardDefinitions(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server and the plugin k8s_gateway when it runs for the first time")
	}
	c, s := startCluster(t), settings[0]
	standard, err := controlplane.GatewayDefinitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.apply(t, string(standard)) // over the older one of TLSRoutes
	manifest, hosts := markers(0)
	c.apply(t, gateways(0))
	c.apply(t, manifest)
	ours := startOurs(t, s, kubeconfig(t, c.Cluster))
	other, p := startOther(t, s, kubeconfig(t, c.Cluster))
	awaitMarkers(t, s, ours, hosts)
	await.Success(t, 20*time.Millisecond, patience, func(context.Context) error {
		if text := p.Tail(); !strings.Contains(text, "v1alpha2.TLSRoute") {
			return errors.New(text)
		}
		return nil
	})
	asked := question{name: hosts["Ingress"], qtype: dns.TypeA}
	if r := (&asker{address: other}).ask(asked); r.problem != nil || r.rcode != dns.RcodeServerFailure {
		t.Errorf("%s: %s", asked, r)
	}
}

// cluster is an API server with the definitions that both servers read.
type cluster struct {
	*controlplane.Cluster
	dynamic dynamic.Interface
	has     []string // ids of objects
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Cluster: controlplane.StartTest(t, controlplane.Options{})}
	for _, read := range []func(context.Context) ([]byte, error){
		controlplane.GatewayDefinitions, controlplane.OlderGatewayDefinitions, controlplane.EndpointDefinition,
	} {
		manifest, err := read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.apply(t, string(manifest))
	}
	c.apply(t, "{apiVersion: v1, kind: Namespace, metadata: {name: town}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: infra}}\n")
	var err error
	if c.dynamic, err = dynamic.NewForConfig(c.RESTConfig()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) apply(t *testing.T, manifest string) {
	t.Helper()
	if err := c.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
}

// become makes the objects of a world in the place of those of another, and the markers last.
func (c *cluster) become(t *testing.T, w *world, round int) (hosts map[string]string) {
	t.Helper()
	var ids []string
	for _, thing := range w.things {
		ids = append(ids, idsIn(thing.yaml)...)
	}
	for _, id := range c.has {
		if !slices.Contains(ids, id) {
			c.remove(t, id)
		}
	}
	c.has = ids
	c.apply(t, gateways(round))
	c.applyAll(t, w.things)
	manifest, hosts := markers(round)
	c.apply(t, manifest)
	return hosts
}

// applyAll applies the objects of many things at a time, but those of one in their order.
func (c *cluster) applyAll(t *testing.T, things []*thing) {
	t.Helper()
	work := make(chan *thing)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for thing := range work {
				if err := c.Apply(t.Context(), []byte(thing.yaml)); err != nil {
					t.Errorf("%s: %v", thing.id, err)
				}
			}
		})
	}
	for _, thing := range things {
		work <- thing
	}
	close(work)
	if all.Wait(); t.Failed() {
		t.FailNow()
	}
}

var idPattern = regexp.MustCompile(`(?m)^kind: (\w+)\nmetadata: \{name: ([^,]+), namespace: ([^,}]+)`)

// idsIn returns the kinds, Namespaces and names of objects.
func idsIn(manifest string) (ids []string) {
	for _, found := range idPattern.FindAllStringSubmatch(manifest, -1) {
		ids = append(ids, found[1]+" "+found[3]+"/"+found[2])
	}
	return ids
}

var groups = map[string]schema.GroupVersion{
	"Service":     {Version: "v1"},
	"Ingress":     {Group: "networking.k8s.io", Version: "v1"},
	"DNSEndpoint": {Group: "externaldns.k8s.io", Version: "v1alpha1"},
	"HTTPRoute":   {Group: "gateway.networking.k8s.io", Version: "v1"},
	"GRPCRoute":   {Group: "gateway.networking.k8s.io", Version: "v1"},
	"TLSRoute":    {Group: "gateway.networking.k8s.io", Version: "v1"},
}

func (c *cluster) remove(t *testing.T, id string) {
	t.Helper()
	kind, key, _ := strings.Cut(id, " ")
	namespace, name, _ := strings.Cut(key, "/")
	plural := strings.ToLower(kind) + "s"
	if kind == "Ingress" {
		plural = "ingresses"
	}
	resource := c.dynamic.Resource(groups[kind].WithResource(plural)).Namespace(namespace)
	if err := resource.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
}

// tally counts the outcomes of all questions.
type tally struct {
	t         *testing.T
	rows      []string
	mu        sync.Mutex
	questions map[string]int // by setting
	explained map[string]int // by entry
	failures  map[string][]string
}

func newTally(t *testing.T) *tally {
	return &tally{t: t, rows: rows(t), questions: map[string]int{}, explained: map[string]int{}, failures: map[string][]string{}}
}

// compare asks both servers all questions.
func (y *tally) compare(s *scene, addresses [2]string, all []question) {
	work := make(chan question)
	var done sync.WaitGroup
	for range clients {
		done.Go(func() {
			other, ours := &asker{address: addresses[0]}, &asker{address: addresses[1]}
			defer other.close()
			defer ours.close()
			for q := range work {
				c := &comparison{s, q, other.ask(q), ours.ask(q)}
				if !c.q.tcp && (c.other.tc || c.ours.tc) {
					q.tcp = true
					c = &comparison{s, q, other.ask(q), ours.ask(q)}
				}
				y.judgeOne(c)
			}
		})
	}
	for _, q := range all {
		work <- q
	}
	close(work)
	done.Wait()
}

// judgeOne judges ours by the model, and the other by the entries.
func (y *tally) judgeOne(c *comparison) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.questions[c.name]++
	if want := c.answer(c.q); !want.equal(c.ours) {
		kind := fmt.Sprintf("ours is not what the objects say: want %s, ours %s", dns.RcodeToString[want.rcode], c.ours.outline())
		y.fail(kind, "%s: %s\n  want %s\n  ours %s", c.name, c.q, want, c.ours)
		return
	}
	entries := c.corrected()
	if !c.other.equal(c.ours) {
		entry, ok := explain(c)
		if !ok {
			y.fail(fmt.Sprintf("not in %s: %s, ours %s", page, c.other.outline(), c.ours.outline()), "%s: %s\n  other %s\n  ours  %s", c.name, c.q, c.other, c.ours)
			return
		}
		entries = append(entries, entry)
	}
	for _, entry := range slices.Compact(entries) {
		y.explained[entry]++
	}
}

func (r *reply) outline() string {
	if r.problem != nil {
		return "no reply"
	}
	return fmt.Sprintf("%s %s/%s/%s", dns.RcodeToString[r.rcode], types(r.msg.Answer), types(r.msg.Ns), types(r.msg.Extra))
}

func (y *tally) fail(kind, format string, args ...any) {
	y.failures[kind] = append(y.failures[kind], fmt.Sprintf(format, args...))
}

// explain returns the entry that explains a difference.
func explain(c *comparison) (entry string, ok bool) {
	for _, m := range matchers {
		if m.matches(c) {
			return m.entry, true
		}
	}
	return "", false
}

// judge prints the numbers and fails the test for what is not explained, and for entries that
// explain nothing.
func (y *tally) judge(t *testing.T) {
	t.Helper()
	total := 0
	for _, s := range settings {
		t.Logf("%8d questions, %s", y.questions[s.name], s.name)
		total += y.questions[s.name]
	}
	if total < fewest {
		t.Errorf("%d questions compared, want at least %d", total, fewest)
	}
	for _, entry := range y.entries(t) {
		if t.Logf("%8d  %s", y.explained[entry], entry); y.explained[entry] == 0 {
			t.Errorf("no question has met the entry %q", entry)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(y.failures)) {
		list := y.failures[kind]
		t.Errorf("%d times: %s\n%s", len(list), kind, strings.Join(list[:min(printed, len(list))], "\n"))
	}
}

// entries returns the entries of all matchers, each of which must be the beginning of a row.
func (y *tally) entries(t *testing.T) []string {
	t.Helper()
	entries := []string{timeToLive, letterCase, serial}
	for _, m := range matchers {
		entries = append(entries, m.entry)
	}
	for _, entry := range entries {
		if !slices.ContainsFunc(y.rows, func(row string) bool { return strings.HasPrefix(row, entry) }) {
			t.Errorf("no row of %s begins with %q", page, entry)
		}
	}
	return entries
}

const page = "../../doc/differences.md"

// rows returns the rows of the section k8s_gateway, without what comes before the question.
func rows(t *testing.T) (rows []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## k8s_gateway\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if row, ok := strings.CutPrefix(line, "| | "); ok {
			rows = append(rows, row)
		}
	}
	return rows
}
