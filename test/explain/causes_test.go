package explain

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCauses: the cause is that of this name and no other, and what the remedy says helps.
func TestCauses(t *testing.T) {
	world, err := os.ReadFile(filepath.Join("testdata", "causes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range causes {
		t.Run(tc.name+" "+strings.Join(tc.run.args, " "), func(t *testing.T) {
			r := tc.run
			r.objects = "---\n" + string(world)
			if !strings.Contains(strings.Join(r.args, " "), "-from") {
				r.args = append(r.args, "-from", "shop")
			}
			text, code := r.explain(t)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, w := range tc.words {
				if not, is := strings.CutPrefix(w, "!"); is && strings.Contains(text, not) {
					t.Errorf("with %q", not)
				} else if !is && !strings.Contains(text, w) {
					t.Errorf("without %q", w)
				}
			}
			if t.Failed() {
				t.Log("\n" + text)
			}
		})
	}
}

// codeOfItself is the exit code for the name of the server, which has the addresses of the machine but those of loopback.
func codeOfItself() int {
	addrs, err := net.InterfaceAddrs()
	if err == nil && slices.ContainsFunc(addrs, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().IsGlobalUnicast()
	}) {
		return 0
	}
	return 3
}

const inside = "\n  pods insecure"

var causes = []struct {
	name  string
	run   run
	code  int
	words []string
}{
	// Pods and endpoints.
	{"a hostname that is not the Pod's name", run{args: []string{"mq-7f9.mq"}}, 3, []string{"cause: Pod shop/mq-7f9 has the hostname rabbit, and its endpoint is named by that", "remedy: write rabbit.mq\n"}},
	{"an address of an endpoint with a hostname", run{args: []string{"10-1-0-20.mq"}}, 3, []string{"with this address has the hostname rabbit", "remedy: write rabbit.mq\n"}},
	{"a Pod without a node", run{args: []string{"pend"}}, 3, []string{"not ready: it has no node yet: Unschedulable 0/3 nodes", "describe pod pend-0 says, and let it have a node", "!publishNotReadyAddresses"}},
	{"a Pod without a node", run{args: []string{"pend-0.pend"}}, 3, []string{"let it have a node", "!publishNotReadyAddresses"}},
	{"a Pod that has ended", run{args: []string{"fail-0.fail"}}, 3, []string{"phase Failed: the Pod has ended: Evicted The node was low", "only Pods that run have names", "!readiness probe"}},
	{"an init container", run{args: []string{"ini"}}, 3, []string{"init container migrate waits: CrashLoopBackOff", "let the container start", "!readiness probe"}},
	{"not ready, and published all the same", run{args: []string{"published"}}, 3, []string{"remedy: mend the readiness probe\n"}},
	{"Pods that are ready, without EndpointSlices", run{args: []string{"noslices"}}, 3, []string{"are ready, and none is ready in an EndpointSlice", "EndpointSlice controller"}},
	{"an EndpointSlice by hand", run{args: []string{"hand"}}, 3, []string{"remedy: set conditions.ready: true in its EndpointSlice", "!readiness probe"}},
	{"an endpoint by hand", run{args: []string{"one.hand"}}, 3, []string{"endpoint one of EndpointSlice shop/hand-x is not ready", "conditions.ready: true"}},
	{"an EndpointSlice with names", run{args: []string{"fq"}}, 3, []string{"addressType FQDN, and only addresses are in DNS"}},
	// Ports.
	{"a port of a Service without endpoints", run{args: []string{"_sql._tcp.db", "-type", "SRV"}}, 3, []string{"cause: Service shop/db is headless and has no ready endpoint", "!has no port"}},
	{"another port", run{args: []string{"_x._tcp.db", "-type", "SRV"}}, 3, []string{"has no port _x._tcp; it has _sql._tcp\n"}},
	{"no ports", run{args: []string{"_x._tcp.noslices", "-type", "SRV"}}, 3, []string{"cause: Service shop/noslices has no ports\n"}},
	{"half a port", run{args: []string{"_x.api"}}, 3, []string{"cause: no name below a Service has this form"}},
	// Aliases.
	{"an alias of an address", run{args: []string{"ip"}}, 3, []string{"alias of 192.0.2.7, which is an address: an alias needs a name", "with an EndpointSlice that has the address"}},
	{"aliases in a circle", run{args: []string{"circle1"}}, 3, []string{"cause: Service shop/circle1 is an alias of circle2.shop.svc.cluster.local, and so leads in a circle"}},
	{"an alias of itself", run{args: []string{"self"}}, 3, []string{"leads in a circle"}},
	{"an alias of nothing", run{args: []string{"tonothing"}}, 3, []string{"cause: Service shop/tonothing is an alias of nothing\n", "remedy: write a name into spec.externalName\n"}},
	{"an alias of the root", run{args: []string{"toroot"}}, 3, []string{"cause: Service shop/toroot is an alias of nothing\n"}},
	{"an alias of an alias of nothing", run{args: []string{"tothat"}}, 3, []string{"alias of tonothing.shop.svc.cluster.local: Service shop/tonothing is an alias of nothing\n"}},
	{"an alias of a Service that is not ready", run{args: []string{"todb"}}, 3, []string{"alias of db.shop.svc.cluster.local: Service shop/db is headless and has no ready endpoint", "remedy: mend the readiness probe"}},
	{"an alias of a short name", run{args: []string{"toshort"}}, 3, []string{"remedy: write api.shop.svc.cluster.local into spec.externalName"}},
	{"an alias of a name without addresses", run{args: []string{"nodata"}, outside: "template ANY ANY example {\n rcode NOERROR\n }"}, 3, []string{"alias of mx.example, which has no such records"}},
	{"an alias, and no upstream", run{args: []string{"nodata"}, outside: "forward . 127.0.0.1:1"}, 4, []string{"alias of mx.example, for which the upstream has no answer", "upstream of forward can be reached"}},
	{"a name below an alias", run{args: []string{"x.ip"}}, 3, []string{"is an alias, and an alias has no names below it"}},
	// Namespaces.
	{"a Service that is hidden", run{args: []string{"secret"}, property: "namespaces shop data"}, 3, []string{"Namespace hid has one, which the Corefile hides", "let the Corefile show it"}},
	{"a Pod's name in a Namespace that is hidden", run{args: []string{"10-1-0-8.hid.pod.cluster.local."}, property: "namespaces shop data" + inside}, 3, []string{"Namespace hid exists, but the Corefile hides it"}},
	{"a search path that completes no Namespace", run{args: []string{"queue", "-from", "shop/own"}}, 3, []string{"remedy: write queue.data.svc.cluster.local.\n"}},
	{"a whole name", run{args: []string{"api.shopp.svc.cluster.local"}}, 3, []string{"cause: Namespace shopp does not exist; Namespace shop has a Service api"}},
	{"a whole name with more labels", run{args: []string{"a.b.c.d.e.f.shop.svc.cluster.local"}}, 3, []string{"cause: Namespace shop has no Service f"}},
	{"a name of the world", run{args: []string{"example.com"}}, 3, []string{"cause: file says NXDOMAIN"}},
	// What people write for a Service.
	{"the Pod in the place of the Service", run{args: []string{"mq-7f9.shop.svc.cluster.local"}}, 3, []string{"has no Service mq-7f9; Pod shop/mq-7f9 has that name", "remedy: write rabbit.mq\n"}},
	{"without what a chart puts around it", run{args: []string{"redis"}}, 3, []string{"cause: Namespace shop has no Service redis; it has shop-redis-master\n", "remedy: write shop-redis-master if you mean that\n"}},
	{"mistyped", run{args: []string{"quueue.data"}}, 3, []string{"cause: Namespace data has no Service quueue; it has queue\n", "remedy: write queue.data if you mean that\n"}},
	{"with underscores", run{args: []string{"shop_redis_master"}}, 3, []string{"it has shop-redis-master\n"}},
	{"with a dash for the dot", run{args: []string{"api-shop"}}, 3, []string{"it has api\n", "remedy: write api if you mean that\n"}},
	{"without svc", run{args: []string{"queue.data.cluster.local"}}, 3, []string{"Services are NAME.NAMESPACE.svc.cluster.local; Namespace data has a Service queue\n", "remedy: write queue.data\n"}},
	{"without a Namespace", run{args: []string{"queue.svc.cluster.local"}}, 3, []string{"Namespace queue does not exist; Namespace data has a Service queue\n", "remedy: write queue.data\n"}},
	{"the Namespace ahead of the Service", run{args: []string{"data.queue"}}, 3, []string{"; Namespace data has a Service queue\n", "remedy: write queue.data\n"}},
	{"the Namespace ahead, in a whole name", run{args: []string{"data.queue.svc.cluster.local"}}, 3, []string{"Namespace queue does not exist; Namespace data has a Service queue\n", "remedy: write queue.data\n"}},
	{"the zone of another cluster", run{args: []string{"queue.data.svc.k8s.example"}}, 3, []string{"so there is no such name; Namespace data has a Service queue\n", "remedy: write queue.data\n"}},
	{"nobody behind the Service", run{args: []string{"stuck"}}, 0, []string{"note: Service shop/stuck has no ready endpoint: its name is answered, and connections to it fail\n"}},
	{"a name outside is no Service", run{args: []string{"api.example.com"}}, 3, []string{"cause: file says NXDOMAIN", "!if you mean"}},
	// Names of Pods by address, and others of the zone.
	{"answered", run{args: []string{"10-1-0-8.shop.pod.cluster.local."}, property: inside}, 0, []string{"=> answered\n", "!no Pod of"}},
	{"no address", run{args: []string{"foo.shop.pod.cluster.local."}, property: inside}, 3, []string{"foo is no address, and Pods have names by address alone"}},
	{"a Pod that has ended", run{args: []string{"10-1-0-21.shop.pod.cluster.local."}, property: "pods verified"}, 3, []string{"Pod shop/fail-0 had the address 10.1.0.21, and has ended (phase Failed)"}},
	{"a Pod of another Namespace", run{args: []string{"10-1-0-20.data.pod.cluster.local."}, property: "pods verified"}, 3, []string{"Pod shop/mq-7f9 has it", "remedy: write 10-1-0-20.shop.pod.cluster.local.\n"}},
	{"TXT alone", run{args: []string{"dns-version.cluster.local."}}, 3, []string{"cause: the name exists, and has no such records"}},
	{"the server itself", run{args: []string{"ns.dns.cluster.local."}}, codeOfItself(), []string{"!has this form"}},
	{"a reverse name", run{args: []string{"7.0.96.10.in-addr.arpa"}}, 0, []string{"PTR", "api.shop.svc.cluster.local."}},
	{"a reverse name, and a type that it does not have", run{args: []string{"7.0.96.10.in-addr.arpa.", "-type", "A"}}, 3, []string{"cause: kubernetes knows the name, without such records", "!no Service and no ready endpoint"}},
	// Plugins ahead, and other server blocks.
	{"a rewrite of a name that is there", run{args: []string{"api"}, line: "rewrite name exact api.shop.svc.cluster.local gone.shop.svc.cluster.local"}, 3, []string{"cause: rewrite makes gone.shop.svc.cluster.local of it: Namespace shop has no Service gone"}},
	{"a rewrite to what is not ready", run{args: []string{"x.apps.example."}, line: "rewrite name regex .*\\.apps\\.example db.shop.svc.cluster.local answer auto"}, 3, []string{"cause: rewrite makes db.shop.svc.cluster.local of it: Service shop/db is headless and has no ready endpoint"}},
	{"a rewrite of what a rewrite has made", run{args: []string{"a.example."}, line: "rewrite continue name exact a.example b.example\n rewrite name exact b.example gone.data.svc.cluster.local"}, 3, []string{"rewrite makes gone.data.svc.cluster.local of it: Namespace data has no Service gone"}},
	{"AAAA by a template", run{args: []string{"db"}, line: "template IN AAAA cluster.local {\n rcode NOERROR\n }"}, 3, []string{"cause: Service shop/db is headless and has no ready endpoint"}},
	{"acl", run{args: []string{"api", "-from", "shop/web-6f9c"}, line: "acl {\n block net 10.1.0.8/32\n }"}, 3, []string{"acl, which is asked ahead of kubernetes, does not let 10.1.0.8 ask for this name", "remedy: allow the address in acl"}},
	{"acl, and the rest of the search path", run{args: []string{"api", "-from", "shop/web-6f9c"}, line: "acl {\n block net 10.1.0.8/32\n }"}, 3, []string{"\n2 api.\n", "!api.svc.cluster.local."}},
	{"acl, for musl", run{args: []string{"api", "-from", "shop/web-6f9c", "-libc", "musl"}, line: "acl {\n block net 10.1.0.8/32\n }"}, 3, []string{"!\n2 "}},
	{"autopath", run{args: []string{"nothing.data", "-from", "shop/web-6f9c"}, line: "autopath @kubernetes", property: "pods verified"}, 3, []string{"cause: Namespace data has no Service nothing\n", "!fall through"}},
	{"a server block for a part of the zone", run{args: []string{"api"}, tail: "shop.svc.cluster.local:53 {\n forward . 127.0.0.1:1\n}\n"}, 4, []string{"cause: questions for api.shop.svc.cluster.local come to the server block of shop.svc.cluster.local, which has no kubernetes"}},
	{"hosts in a server block for a part of the zone", run{args: []string{"other"}, tail: "svc.cluster.local:53 {\n hosts {\n 192.0.2.1 other.shop.svc.cluster.local\n }\n}\n"}, 0, []string{"=> answered by hosts\n"}},
	{"another zone in another server block", run{args: []string{"api.shop.svc.other.example."}, tail: "other.example:53 {\n kubernetes other.example {\n manifests cluster.yaml\n namespaces data\n }\n}\n"}, 3, []string{"cause: Namespace shop exists, but the Corefile hides it"}},
	{"a view", run{args: []string{"api", "-from", "shop/web-6f9c"}, line: "view others {\n expr !incidr(client_ip(), '10.1.0.8/32')\n }", tail: ".:53 {\n kubernetes cluster.local {\n manifests cluster.yaml\n namespaces data\n }\n}\n"}, 4, []string{"cause: Namespace shop exists, but the Corefile hides it"}},
	{"not in a view", run{args: []string{"api", "-from", "shop/mq-7f9"}, line: "view others {\n expr !incidr(client_ip(), '10.1.0.8/32')\n }", tail: ".:53 {\n kubernetes cluster.local {\n manifests cluster.yaml\n namespaces data\n }\n}\n"}, 0, []string{"=> answered\n"}},
	// How Pods ask.
	{"a foreign nameserver", run{args: []string{"api", "-from", "shop/own"}}, 0, []string{"note: whether the nameserver 192.0.2.53 is this server cannot be told: -cluster-dns"}},
	{"ndots without a number", run{args: []string{"queue.data", "-from", "shop/ndots"}}, 0, []string{"ndots:1  (ClusterFirst)", "1 queue.data.\n"}},
	{"ndots above the bound", run{args: []string{"queue.data", "-from", "shop/many"}}, 0, []string{"ndots:15  (ClusterFirst)"}},
	{"a search path that musl does not read", run{args: []string{"api", "-from", "shop/many", "-libc", "musl"}}, 3, []string{"1 api.  <- decides", "note: glibc differs: it is answered after api.shop.svc.cluster.local."}},
	{"Windows", run{args: []string{"queue.data", "-from", "shop/win"}}, 0, []string{"note: Pod shop/win runs on Windows"}},
	{"a NetworkPolicy, and the network of the node", run{args: []string{"api", "-from", "shop/host"}}, 0, []string{"!NetworkPolicy"}},
	{"a NetworkPolicy with names of ports", run{args: []string{"api", "-from", "shop/named"}}, 0, []string{"!NetworkPolicy"}},
	{"as musl gives up on what has no records", run{args: []string{"shop.svc.cluster.local."}}, 3, []string{"!musl differs"}},
	// What is no Namespace.
	{"no Namespace", run{args: []string{"api", "-from", "/"}}, 1, []string{`-from "/": expected NAMESPACE or NAMESPACE/POD`}},
	{"a Pod with a slash", run{args: []string{"api", "-from", "shop/web/x"}}, 1, []string{"expected NAMESPACE or NAMESPACE/POD"}},
	{"upper case", run{args: []string{"api", "-from", "Shop"}}, 1, []string{"expected NAMESPACE or NAMESPACE/POD"}},
}
