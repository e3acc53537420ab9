package test

import (
	"slices"
	"testing"
)

// Packages between the plugins and the sockets.
const (
	completion = internal + "/completion"
	fastpath   = internal + "/fastpath"
)

// A rule must be able to fail: each row breaks a rule, or just does not.
func TestBreaches(t *testing.T) { //nolint:funlen // its rows are a table
	const (
		names    = internal + "/dnsname"
		radix    = internal + "/radix"
		model    = internal + "/cluster"
		resolve  = internal + "/resolve"
		state    = internal + "/state"
		answer   = internal + "/answer"
		kube     = internal + "/kube"
		convert  = kube + "/convert"
		manifest = kube + "/manifest"
		recent   = internal + "/recent"
		reply    = internal + "/reply"
		udp      = internal + "/udp"
		tcp      = internal + "/tcp"
		corefile = internal + "/corefile"
		xfr      = internal + "/xfr"
		asked    = internal + "/top"
		fair     = internal + "/fair"
		machine  = internal + "/machine"
		steer    = internal + "/steer"
		metrics  = internal + "/metrics"
		search   = internal + "/searchpath"
		stock    = plugins + "/kubernetes"
		external = plugins + "/k8s_external"
		checks   = internal + "/check"
		explain  = internal + "/explain"
		doctor   = internal + "/doctor"
		commands = plugins + "/commands"
	)
	for _, tc := range []struct {
		from     string
		imports  []string
		deps     []string
		breaches int
	}{
		{from: names, imports: []string{"net/netip", "strings", "unsafe"}},
		{from: names, imports: []string{"net", "time"}, breaches: 2},
		{from: names, imports: []string{answer}, breaches: 1},
		{from: names, deps: dnsLibrary, breaches: 1},
		{from: names, deps: []string{"k8s.io/api/core/v1"}, breaches: 1},

		{from: radix, imports: []string{"net/netip", "iter", "unsafe"}},
		{from: radix, imports: []string{"net", "os"}, breaches: 2},
		{from: radix, imports: []string{names}, breaches: 1},
		{from: radix, deps: dnsLibrary, breaches: 1},

		{from: model, imports: []string{names, radix, "net/netip", "sync/atomic"}},
		{from: model, imports: []string{"time", "os"}, breaches: 2},
		{from: model, imports: []string{answer}, breaches: 1},
		{from: model, deps: []string{"k8s.io/api/core/v1"}, breaches: 1},
		{from: model, deps: dnsLibrary, breaches: 1},
		{from: model + "/clustertest", imports: []string{model}},

		{from: state, imports: []string{names, model, "net/netip", "os", "time"}},
		{from: state, imports: []string{"net", kube}, breaches: 2},
		{from: state, deps: []string{"k8s.io/api/core/v1"}, breaches: 1},
		{from: state, deps: dnsLibrary, breaches: 1},

		{from: resolve, imports: []string{names, model, "net/netip", "strings"}},
		{from: resolve, imports: []string{answer}, breaches: 1},
		{from: resolve, imports: []string{"time"}, breaches: 1},
		{from: resolve, deps: dnsLibrary, breaches: 1},

		{from: answer, imports: []string{names, model, resolve, "net/netip", "strings", "sync/atomic", "github.com/miekg/dns"}},
		{from: answer, deps: []string{"net", "os", "time"}}, // through miekg/dns
		{from: answer, imports: []string{"net"}, breaches: 1},
		{from: answer, imports: []string{"net/http"}, breaches: 1},
		{from: answer, imports: []string{"os", "io/fs"}, breaches: 2},
		{from: answer, imports: []string{"time"}, breaches: 1},
		{from: answer, deps: []string{"k8s.io/api/core/v1"}, breaches: 1},
		{from: answer, deps: []string{"sigs.k8s.io/yaml"}, breaches: 1},
		{from: answer, deps: []string{"github.com/coredns/coredns/request"}, breaches: 1},
		{from: answer, imports: []string{radix}, breaches: 1},
		{from: answer, imports: []string{kube}, breaches: 1},
		{from: answer, imports: []string{clusterdns}, breaches: 1},
		{from: answer + "/wire", imports: []string{answer}},
		{from: answer + "/wire", imports: []string{"time"}, breaches: 1},

		{from: kube, imports: []string{names, model, "time", "os", "k8s.io/client-go/tools/cache"}, deps: dnsLibrary},
		{from: kube, imports: dnsLibrary, breaches: 1},
		{from: kube, imports: []string{"github.com/miekg/dns/dnsutil"}, breaches: 1},
		{from: kube, deps: []string{"github.com/coredns/caddy"}, breaches: 1},
		{from: kube, imports: []string{udp}, breaches: 1},
		{from: kube, imports: []string{answer}, breaches: 1},
		{from: kube, imports: []string{clusterdns}, breaches: 1},

		{from: convert, imports: []string{names, model, "net/netip", "k8s.io/api/core/v1"}, deps: []string{"time", "github.com/miekg/dns"}},
		{from: convert, imports: []string{kube}, breaches: 1},
		{from: convert, imports: []string{manifest}, breaches: 1},
		{from: convert, imports: dnsLibrary, breaches: 1},
		{from: convert, imports: []string{"os", "net"}, breaches: 2},
		{from: convert, deps: []string{"k8s.io/client-go/rest"}, breaches: 1},
		{from: convert, deps: []string{"github.com/coredns/caddy"}, breaches: 1},

		{from: kube + "/apiserver", imports: []string{"net", "time", "k8s.io/client-go/rest"}},
		{from: kube + "/apiserver", imports: []string{kube}, breaches: 1},
		{from: kube + "/apiserver", imports: []string{answer, kube + "/slimpb"}, breaches: 2},
		{from: kube + "/apiserver", deps: []string{"github.com/coredns/caddy"}, breaches: 1},
		{from: kube + "/slimpb", imports: []string{"bufio", "io", "k8s.io/api/core/v1"}},
		{from: kube + "/slimpb", imports: []string{kube, kube + "/apiserver"}, breaches: 2},
		{from: kube + "/slimpb", imports: []string{"net", "k8s.io/client-go/rest"}, breaches: 2},
		{from: kube + "/table", imports: []string{kube + "/keyed", model}},
		{from: kube + "/table", imports: []string{kube, "time"}, breaches: 2},
		{from: kube + "/table", deps: []string{"k8s.io/api/core/v1"}, breaches: 1},
		{from: kube + "/checkpoint", imports: []string{model, "time", "k8s.io/utils/clock"}},
		{from: kube + "/checkpoint", imports: []string{kube, "net"}, breaches: 2},
		{from: kube + "/checkpoint", deps: []string{"k8s.io/client-go/rest"}, breaches: 1},
		{from: kube + "/barrier", imports: []string{kube, kube + "/listwatch", "k8s.io/apimachinery/pkg/util/resourceversion"}, breaches: 2},
		{from: kube + "/barrier", imports: []string{"time", "k8s.io/client-go/rest"}, breaches: 1},
		{from: kube + "/barrier", deps: []string{"k8s.io/client-go/rest"}, breaches: 1},
		{from: kube + "/listwatch", imports: []string{kube + "/apiserver", kube + "/slimpb", "time", "k8s.io/client-go/tools/cache"}},
		{from: kube + "/listwatch", imports: []string{kube, convert, model}, breaches: 3},
		{from: kube + "/listwatch", imports: dnsLibrary, breaches: 1},
		{from: kube + "/listwatch", deps: []string{"github.com/coredns/caddy"}, breaches: 1},
		{from: manifest, imports: []string{convert, model, "os", "time", "go.yaml.in/yaml/v4"}},
		{from: manifest, imports: []string{manifest + "/pieces"}},
		{from: manifest + "/pieces", imports: []string{manifest, "os"}, breaches: 2},
		{from: manifest + "/pieces", deps: []string{"k8s.io/api/core/v1"}, breaches: 1},
		{from: manifest, imports: []string{kube}, breaches: 1},
		{from: manifest, imports: dnsLibrary, breaches: 1},
		{from: manifest, deps: []string{"k8s.io/client-go/rest"}, breaches: 1},
		{from: manifest, deps: []string{"github.com/coredns/caddy"}, breaches: 1},

		{from: kube + "/publish/behind", imports: []string{convert, model, "net/netip", "k8s.io/api/core/v1"}},
		{from: kube + "/publish/behind", imports: []string{kube + "/publish", names, "time"}, breaches: 3},
		{from: kube + "/publish/hostname", imports: []string{names}},
		{from: kube + "/publish/hostname", imports: []string{model, "net"}, deps: []string{"k8s.io/api/core/v1"}, breaches: 3},
		{from: kube + "/publish/rdata", imports: []string{kube + "/publish/hostname", model, "net/netip", "strconv"}},
		{from: kube + "/publish/target", imports: []string{kube + "/publish/rdata", convert, model}},
		{from: kube + "/publish/target", imports: []string{kube + "/publish", "net", "k8s.io/api/core/v1"}, breaches: 3},
		{from: kube + "/publish/zone", imports: []string{names, model}},
		{from: kube + "/publish/zone", imports: []string{kube + "/publish", "net"}, deps: []string{"k8s.io/api/core/v1"}, breaches: 3},
		{from: kube + "/publish/rdata", imports: []string{kube + "/publish", convert, "time"}, deps: []string{"k8s.io/api/core/v1"}, breaches: 4},

		{from: search, imports: []string{"bytes", "slices"}},
		{from: search, imports: dnsLibrary, breaches: 1},
		{from: search, imports: []string{"net", "time"}, breaches: 2},
		{from: search, imports: []string{answer}, breaches: 1},
		{from: search, deps: []string{"github.com/coredns/coredns/request"}, breaches: 1},

		{from: recent, imports: []string{"sync/atomic", "time", "github.com/miekg/dns"}},
		{from: recent, imports: []string{"net", "os"}, breaches: 2},
		{from: recent, imports: []string{reply, answer}, breaches: 2},
		{from: recent, deps: []string{"github.com/coredns/coredns/plugin/cache"}, breaches: 1},

		{from: reply, imports: []string{recent}},
		{from: reply, imports: []string{model, answer, resolve, search, "net/netip", "time", "github.com/miekg/dns"}},
		{from: reply, imports: []string{udp}, breaches: 1},
		{from: reply, imports: []string{"net", "os"}, breaches: 2},
		{from: reply, imports: []string{completion}, breaches: 1},
		{from: reply, imports: []string{kube}, breaches: 1},
		{from: reply, deps: []string{"github.com/coredns/coredns/core/dnsserver"}, breaches: 1},
		{from: reply, deps: []string{"k8s.io/klog/v2"}, breaches: 1},

		{from: asked, imports: []string{names, model, resolve, "net/netip", "sync", "time", "github.com/miekg/dns"}},
		{from: asked, imports: []string{"net", "os"}, breaches: 2},
		{from: asked, imports: []string{reply, answer}, breaches: 2},
		{from: asked, deps: []string{"github.com/coredns/coredns/core/dnsserver"}, breaches: 1},

		{from: fair, imports: []string{"net/netip", "sync"}},
		{from: fair, imports: []string{"net", "time"}, breaches: 2},
		{from: fair, imports: []string{reply}, breaches: 1},
		{from: fair, deps: dnsLibrary, breaches: 1},

		{from: machine, imports: []string{"net", "os"}},
		{from: machine, imports: []string{fair}, breaches: 1},
		{from: machine, deps: dnsLibrary, breaches: 1},

		{from: steer, imports: []string{"net", "golang.org/x/sys/unix"}},
		{from: steer, imports: []string{"os", machine, udp}, breaches: 3},
		{from: steer, deps: dnsLibrary, breaches: 1},

		{from: udp, imports: []string{fair, machine, steer}},
		{from: udp, imports: []string{reply, "net", "time", "github.com/coredns/coredns/core/dnsserver"}},
		{from: udp, imports: []string{answer, model}, breaches: 2},
		{from: udp, deps: []string{"k8s.io/klog/v2"}, breaches: 1},
		{from: udp, imports: []string{kube}, breaches: 1},

		{from: checks, imports: []string{corefile, fastpath, "net/netip", "os", "github.com/coredns/caddy"}},
		{from: checks, imports: []string{kube, metrics}, breaches: 2},
		{from: checks, imports: []string{checks + "/written"}},
		{from: checks + "/written", imports: []string{"unicode/utf8", checks, "os"}, deps: []string{"github.com/miekg/dns"}, breaches: 3},
		{from: checks, deps: []string{"k8s.io/client-go/rest"}, breaches: 1},
		{from: explain, imports: []string{checks, fastpath, resolve, model, manifest, "k8s.io/api/core/v1", "github.com/miekg/dns"}},
		{from: explain, imports: []string{kube, "k8s.io/client-go/rest"}, breaches: 2},
		{from: doctor, imports: []string{checks, doctor + "/patient", "k8s.io/api/core/v1", "github.com/miekg/dns"}},
		{from: doctor, imports: []string{kube + "/apiserver", "k8s.io/client-go/rest"}, breaches: 2},
		{from: doctor + "/patient", imports: []string{checks, doctor + "/api", doctor + "/scrape", "net", "github.com/miekg/dns"}},
		{from: doctor + "/patient", imports: []string{doctor, kube, "k8s.io/client-go/rest"}, breaches: 3},
		{from: doctor + "/api", imports: []string{kube + "/apiserver", "k8s.io/client-go/rest"}},
		{from: doctor + "/api", imports: []string{checks, kube}, breaches: 2},
		{from: doctor + "/scrape", imports: []string{"github.com/prometheus/common/expfmt"}},
		{from: doctor + "/scrape", imports: []string{metrics, "net"}, breaches: 2},
		{from: explain, imports: []string{explain + "/socket", explain + "/fetch", explain + "/resolvconf", explain + "/inprocess", explain + "/objects", explain + "/spelling", explain + "/stub", kube + "/convert"}},
		{from: explain + "/inprocess", imports: []string{"github.com/miekg/dns", explain, "k8s.io/api/core/v1"}, breaches: 2},
		{from: explain + "/objects", imports: []string{manifest, kube + "/convert", "k8s.io/api/core/v1"}},
		{from: explain + "/objects", imports: []string{explain, "github.com/miekg/dns"}, deps: []string{"github.com/coredns/coredns/core/dnsserver"}, breaches: 3},
		{from: explain + "/spelling", imports: []string{"github.com/miekg/dns", explain}, deps: []string{"k8s.io/api/core/v1"}, breaches: 2},
		{from: explain + "/stub", imports: []string{explain + "/inprocess", explain + "/resolvconf"}},
		{from: explain + "/stub", imports: []string{explain, "k8s.io/api/core/v1"}, breaches: 2},
		{from: explain + "/resolvconf", imports: []string{"k8s.io/api/core/v1", "github.com/miekg/dns"}},
		{from: explain + "/resolvconf", imports: []string{explain}, deps: []string{"k8s.io/client-go/rest"}, breaches: 2},
		{from: explain + "/socket", imports: []string{"net", "golang.org/x/sys/unix"}},
		{from: explain + "/socket", imports: []string{explain}, deps: []string{"k8s.io/api/core/v1"}, breaches: 2},
		{from: explain + "/fetch", imports: []string{"os", "k8s.io/apimachinery/pkg/labels"}},
		{from: explain + "/fetch", imports: []string{explain, "k8s.io/client-go/rest"}, breaches: 2},
		{from: commands, imports: []string{checks, explain, doctor, kube + "/apiserver", "io"}},
		{from: commands, imports: []string{corefile}, breaches: 1},

		{from: tcp, imports: []string{fair, reply, "net", "time", "reflect", "unsafe", "github.com/miekg/dns"}},
		{from: tcp, imports: []string{udp, answer}, breaches: 2},
		{from: tcp, deps: []string{"github.com/coredns/coredns/core/dnsserver"}, breaches: 1},
		{from: tcp, deps: []string{"k8s.io/klog/v2"}, breaches: 1},

		{from: xfr, imports: []string{answer, "net", "time", "github.com/coredns/coredns/plugin/transfer", "github.com/miekg/dns"}},
		{from: xfr, deps: []string{"k8s.io/klog/v2"}, breaches: 1},
		{from: xfr, imports: []string{kube, udp, clusterdns}, breaches: 3},

		{from: corefile, imports: []string{answer, "github.com/coredns/coredns/core/dnsserver"}},
		{from: corefile, imports: []string{udp}, breaches: 1},
		{from: corefile, imports: []string{search}, breaches: 1},
		{from: corefile, deps: []string{"k8s.io/klog/v2"}, breaches: 1},

		{from: completion, imports: []string{answer, search, reply, corefile, "github.com/miekg/dns"}},
		{from: completion, imports: []string{udp}, breaches: 1},
		{from: completion, imports: []string{kube}, breaches: 1},
		{from: completion, imports: []string{clusterdns}, breaches: 1},
		{from: completion, deps: []string{"k8s.io/klog/v2"}, breaches: 1},
		{from: udp, imports: []string{completion}, breaches: 1},

		{from: fastpath, imports: []string{answer, reply, udp, corefile, completion}},
		{from: fastpath, imports: []string{kube}, breaches: 1},
		{from: fastpath, imports: []string{clusterdns}, breaches: 1},
		{from: completion, imports: []string{fastpath}, breaches: 1},
		{from: udp, imports: []string{fastpath}, breaches: 1},

		{from: metrics, imports: []string{model, resolve, answer, kube, reply, udp, search, completion, fastpath, "github.com/prometheus/client_golang/prometheus"}},
		{from: metrics, imports: []string{clusterdns}, breaches: 1},
		{from: metrics, imports: []string{external, xfr}, breaches: 2},
		{from: metrics, imports: []string{"k8s.io/client-go/rest"}, breaches: 1},
		{from: fastpath, imports: []string{metrics}, breaches: 1},

		{from: clusterdns, imports: []string{model, answer, kube, udp, corefile, completion, fastpath, xfr, metrics}},
		{from: clusterdns, imports: []string{external}, breaches: 1},
		{from: clusterdns, imports: []string{stock}, breaches: 1},
		{from: stock, imports: []string{clusterdns}},
		{from: external, imports: []string{clusterdns, answer}},
		{from: external, imports: []string{stock}, breaches: 1},
		{from: plugins + "/new", breaches: 1},
	} {
		got := breaches(listed{ImportPath: tc.from, Imports: tc.imports, Deps: tc.deps})
		if len(got) != tc.breaches {
			t.Errorf("%s importing %v: breaches %q, want %d", tc.from, slices.Concat(tc.imports, tc.deps), got, tc.breaches)
		}
	}
}
