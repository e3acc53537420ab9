package zone

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

const (
	testTTL    = 5
	testSerial = 7
)

// tester is what testing.TB and rapid.T have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// load gives a transaction the objects of a cluster, written one to a line, in
// the order of the lines:
//
//	namespace default
//	clusterip default/web 10.3.0.1,2001:db8::1 https/tcp/443 /tcp/80
//	headless default/db https/tcp/443
//	external default/foo www.example.com. https/tcp/443
//	slice default/db a https/tcp/443 10.3.0.100=my-pet 10.3.0.101@pod-name 10.3.0.102#topology-zone
//	imported-clusterip default/web 10.4.0.1 https/tcp/443
//	imported-headless default/db https/tcp/443
//	imported-slice east default/db a https/tcp/443 10.4.0.100=my-pet 10.4.0.101
//	pod default web 10.0.0.1,2001:db8::5
func load(t tester, txn *Txn, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "namespace":
			txn.PutNamespace(f[1])
		case "clusterip":
			txn.ReplaceService(nil, virtual(t, f[1:]))
		case "headless":
			txn.ReplaceService(nil, headless(t, f[1:]))
		case "external":
			txn.ReplaceService(nil, &Service{Key: keyOf(f[1]), Kind: ExternalName, Target: strings.TrimPrefix(f[2], "-"), Ports: portsOf(t, f[3:])})
		case "slice":
			txn.ReplaceSlice(nil, sliceOf(t, f[1:]))
		case "imported-clusterip":
			txn.ReplaceImport(nil, virtual(t, f[1:]))
		case "imported-headless":
			txn.ReplaceImport(nil, headless(t, f[1:]))
		case "imported-slice":
			txn.ReplaceImportSlice(nil, importedSlice(t, f[1:]))
		case "pod":
			txn.ReplacePod(nil, NewPod(Pod{Namespace: f[1]}, Profile{Name: f[2]}, addrsOf(t, f[3])...))
		default:
			t.Fatalf("no such object: %s", line)
		}
	}
}

func virtual(t tester, f []string) *Service {
	t.Helper()
	return &Service{Key: keyOf(f[0]), ClusterIPs: addrsOf(t, f[1]), Ports: portsOf(t, f[2:])}
}

func headless(t tester, f []string) *Service {
	t.Helper()
	return &Service{Key: keyOf(f[0]), Kind: Headless, Ports: portsOf(t, f[1:])}
}

func keyOf(text string) Key {
	namespace, name, _ := strings.Cut(text, "/")
	return Key{namespace, name}
}

// addrsOf reads addresses with commas between them, or "-" for none.
func addrsOf(t tester, text string) []netip.Addr {
	t.Helper()
	if text == "-" {
		return nil
	}
	var addrs []netip.Addr
	for s := range strings.SplitSeq(text, ",") {
		addrs = append(addrs, addrOf(t, s))
	}
	return addrs
}

func addrOf(t tester, text string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func portsOf(t tester, fields []string) []Port {
	t.Helper()
	var ports []Port
	for _, f := range fields {
		part := strings.Split(f, "/")
		number, err := strconv.ParseUint(part[2], 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, Port{part[0], part[1], uint16(number)})
	}
	return ports
}

func sliceOf(t tester, f []string) *Slice {
	t.Helper()
	key := keyOf(f[0])
	s := Slice{Namespace: key.Namespace, Service: key.Name, Name: f[1]}
	rest := f[2:]
	isEndpoint := func(f string) bool { return !strings.Contains(f, "/") }
	ports := slices.IndexFunc(rest, isEndpoint)
	if ports < 0 {
		ports = len(rest)
	}
	s.Ports = portsOf(t, rest[:ports])
	var list []Endpoint
	for _, f := range rest[ports:] {
		addr, topologyZone, _ := strings.Cut(f, "#")
		addr, hostname, _ := strings.Cut(addr, "=")
		addr, pod, _ := strings.Cut(addr, "@")
		e := Endpoint{Addr: addrOf(t, addr)}
		if id := (Identity{hostname, pod, topologyZone}); id != (Identity{}) {
			e.Identity = &id
		}
		list = append(list, e)
	}
	s.Endpoints = PackEndpoints(list)
	return NewSlice(s)
}

// importedSlice is a slice that a cluster exports, or "-" if it does not say which.
func importedSlice(t tester, f []string) *Slice {
	t.Helper()
	s := sliceOf(t, f[1:])
	s.Cluster = strings.TrimPrefix(f[0], "-")
	return s
}

// snapshotOf is a synced snapshot of a cluster, with a serial.
func snapshotOf(t tester, text string) *Snapshot {
	t.Helper()
	store := NewStore()
	txn := store.Begin()
	load(t, txn, text)
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(testSerial)
	return store.Load()
}

// viewOf is a view with the given origins.
func viewOf(t tester, origins ...string) *View {
	t.Helper()
	v := &View{TTL: testTTL}
	for _, text := range origins {
		o, err := ParseOrigin(text)
		if err != nil {
			t.Fatal(err)
		}
		v.Origins = append(v.Origins, o)
	}
	return v
}

// clusterSetView is a view of a cluster and of the cluster set that it belongs to.
func clusterSetView(t tester) *View {
	t.Helper()
	v := viewOf(t, "clusterset.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.")
	v.Origins[0].ClusterSet = true
	return v
}

// clusterView is a view as most Corefiles configure it.
func clusterView(t tester) *View {
	t.Helper()
	return viewOf(t, "cluster.local.", "in-addr.arpa.", "ip6.arpa.")
}

// ask looks up a question written as "name type".
func ask(t tester, v *View, s *Snapshot, question string) Answer {
	t.Helper()
	f := strings.Fields(question)
	qtype, ok := dns.StringToType[f[1]]
	if !ok {
		t.Fatalf("no such type: %s", question)
	}
	return askType(t, v, s, f[0], qtype)
}

func askType(t tester, v *View, s *Snapshot, name string, qtype uint16) Answer {
	t.Helper()
	n, err := dnsname.Parse(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	a := v.Lookup(s, &n, qtype)
	checkOutcome(t, v, s, &n, qtype, &a)
	return a
}

// checkOutcome holds what is told without records to the look-up with them.
func checkOutcome(t tester, v *View, s *Snapshot, n *dnsname.Name, qtype uint16, a *Answer) {
	t.Helper()
	want := a.Result
	if want == NoData {
		want = Success
	}
	got, last := v.Outcome(s, n, qtype)
	if got != want || got == Delegate && last.String() != a.Target {
		t.Fatalf("%s %s: the outcome is %d at %s, the answer %+v", n, dns.Type(qtype), got, last, *a)
	}
}

// row is a question with the golden text of its answer.
type row struct{ name, question, want string }

func run(t *testing.T, v *View, s *Snapshot, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := render(ask(t, v, s, r.question))
			if want := tidy(r.want); got != want {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", r.question, got, want)
			}
		})
	}
}

// tidy lets golden text be indented like the code around it.
func tidy(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			lines = append(lines, strings.Join(f, " "))
		}
	}
	return strings.Join(lines, "\n")
}

var resultText = map[Result]string{
	OutOfZone: "OutOfZone", Success: "Success", NoData: "NoData",
	NXDomain: "NXDomain", NotReady: "NotReady", Delegate: "Delegate",
}

// render writes an answer as text. The first line is the result, with the owner
// of the SOA record if there is one; additional records begin with a plus sign.
func render(a Answer) string {
	var b strings.Builder
	b.WriteString(resultText[a.Result] + " " + a.Target + "\n")
	for _, rr := range a.Authority {
		b.WriteString(renderSOA(rr) + "\n")
	}
	for _, rr := range a.Records {
		b.WriteString(rr.String() + "\n")
	}
	for _, rr := range a.Extra {
		b.WriteString("+ " + rr.String() + "\n")
	}
	return tidy(strings.Replace(b.String(), " \nSOA ", " ", 1))
}

// renderSOA is short for the record that every negative answer has, and long for
// any other.
func renderSOA(rr dns.RR) string {
	owner := rr.Header().Name
	if rr.String() == soaText(owner) {
		return "SOA " + owner
	}
	return rr.String()
}

func soaText(owner string) string {
	return owner + "\t5\tIN\tSOA\tns.dns." + owner + " hostmaster." + owner + " 7 7200 1800 86400 5"
}
