package gateway

import (
	"os"
	"strings"
	"testing"
)

const (
	publishTests     = "../internal/kube/publish/publish_test.go"
	publishZoneTests = "../internal/kube/publish/zones_test.go"
	hostnameTests    = "../internal/kube/publish/hostname/hostname_test.go"
	viewTests        = "view_test.go"
	liveTests        = "../../test/live/gateway_test.go"
	comparison       = "../../test/published/published_test.go"
	script           = "../../test/script/testdata/gateway.txtar"
	records          = "../../test/script/testdata/gateway_records.txtar"
)

// shown are the tests that show each listed difference, by the beginning of its row. In a script it
// is a question.
var shown = []struct{ row, file, test string }{
	{"a route that no controller has accepted", publishTests, "TestOnlyAcceptedRoutes"},
	{"a route that no controller has accepted", publishTests, "TestAllowedRoutes"},
	{"a route that no controller has accepted", hostnameTests, "TestHostnamesInCommon"},
	{"a route without hostnames", publishTests, "TestRouteWithoutHostnames"},
	{"the second of two parentRefs", publishTests, "TestNamespaceOfEachParent"},
	{"a route that names a ListenerSet", publishTests, "TestListenerSets"},
	{"an Ingress without a class", publishTests, "TestClasses"},
	{"a name that exists, asked for a type", script, "$ dig web.example.org TXT"},
	{"a name that does not exist, asked for MX", script, "$ dig nowhere.example.org SOA"},
	{"a name with nothing but names below it", viewTests, "TestSpecificWildcardFirst"},
	{"a wildcard", viewTests, "TestWildcardsOfRFC4592"},
	{"a load balancer's or a Gateway's hostname", script, "$ dig cloud.example.org A"},
	{"CNAME records of a DNSEndpoint", script, "$ dig www.example.org CNAME"},
	{"MX and SRV records of a DNSEndpoint", script, "$ dig example.org MX"},
	{"NAPTR and PTR records of a DNSEndpoint", records, "$ dig tel.example.org NAPTR"},
	{"NS records of a DNSEndpoint", records, "$ dig hidden.sub.example.org A"},
	{"two objects with one name", publishTests, "TestOlderWins"},
	{"texts and addresses of one name", publishTests, "TestTextsBesideAddresses"},
	{"an Ingress, a route or a DNSEndpoint with a host outside", script, "$ dig other.example.net A"},
	{"the server's name, and NS, if", viewTests, "TestServersOfBothFamilies"},
	{"the server's name, which an object of another Namespace", publishZoneTests, "TestServersOfTheZones"},
	{"a name in the cluster's own zones", viewTests, "TestZonesOfTheClusterItself"},
	{"a route at a listener that its controller", publishTests, "TestListenersThatAreNotAccepted"},
	{"NS, beside an Ingress with a rule for all hosts", comparison, "TestDifferences"},
	{"SOA and NS of the zone, with", comparison, "TestDifferences"},
	{"a name below the server's name", comparison, "TestDifferences"},
	{"letter case of the name in an answer", comparison, "TestDifferences"},
	{"ANY at a name that exists", comparison, "TestDifferences"},
	{"a DNSEndpoint with several names", comparison, "TestDifferences"},
	{"a DNSEndpoint whose name has capital letters", comparison, "TestDifferences"},
	{"a wildcard directly below the zone", comparison, "TestDifferences"},
	{"any name, with TLSRoute among", comparison, "TestStandardDefinitions"},
	{"TTL of the SOA", script, "$ dig example.org SOA"},
	{"serial", publishTests, "TestNoChange"},
	{"any name before the first sync", viewTests, "TestNotReady"},
	{"AXFR, IXFR", script, "$ dig +tcp example.org AXFR"},
	{"AXFR, IXFR", "walk_test.go", "TestWalkAgreesWithLookup"},
	{"a kind that the API server gets after the start", liveTests, "TestGateway"},
}

// An entry that no test shows may be wrong without anybody noticing.
func TestDifferencesAreShown(t *testing.T) {
	page := read(t, "../../doc/differences.md")
	_, section, _ := strings.Cut(page, "## k8s_gateway\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for line := range strings.Lines(section) {
		if text, ok := strings.CutPrefix(line, "| | "); ok {
			rows = append(rows, text)
		}
	}
	if len(rows) < 20 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		found := false
		for _, s := range shown {
			if strings.HasPrefix(row, s.row) {
				found = true
				if text := read(t, s.file); !strings.Contains(text, "func "+s.test+"(") && !strings.Contains(text, s.test+"\n") {
					t.Errorf("%s has no %s", s.file, s.test)
				}
			}
		}
		if !found {
			t.Errorf("no test shows: %s", row)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
