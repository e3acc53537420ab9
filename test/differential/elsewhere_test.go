package differential

import (
	"strings"
	"testing"
)

// elsewhere are the entries that no question of this test shows, with the tests that show
// them.
var elsewhere = []struct{ number, question, file, test string }{
	{"", "NS where no address of the server is known", "plugin/internal/answer/apex_test.go", "TestApex"},
	{"", "PTR of the address that a zone of one address is of", "plugin/internal/answer/apex_test.go", "TestA4ZoneOfOneAddress"},
	{"", "NS and `ns.dns` of a server that is bound to a link-local address", "plugin/clusterdns/local_test.go", "TestA5NoLinkLocalAddress"},
	{"", "a searched name with `autopath @kubernetes`", "plugin/clusterdns/autopath_test.go", "TestAutoPath"},
	{"D23", "`cache` in front of us", "plugin/clusterdns/server_test.go", "TestD23TTLZeroBehindCache"},
	{"D3", "a server that was synced once", "test/live/start_test.go", "TestD3LostAPIServer"},
	{"", "`/ready` at start", "plugin/clusterdns/handler_test.go", "TestReadyWaitsForTheSockets"},
	{"D25", "`coredns_kubernetes_dns_programming_duration_seconds`", "plugin/internal/kube/latency_test.go", "TestD25ListsAreNotProgrammed"},
	{"D11", "metadata in a zone of `multicluster`", "plugin/clusterdns/metadata_test.go", "TestD11MetadataOfClusterSets"},
	{"", "metadata of a client", "plugin/clusterdns/metadata_test.go", "TestMetadataOfClients"},
	{"D19", "serial", "plugin/internal/answer/serial_test.go", "TestD19EveryChangeHasASerial"},
	{"", "IXFR", "plugin/internal/xfr/transfer_test.go", "TestIncrementalTransfer"},
	{"", "transfer over HTTPS or gRPC", "plugin/internal/xfr/transfer_test.go", "TestP8TransferOverHTTPS"},
	{"", "transfer of more than one message, with `minimal`", "plugin/clusterdns/transfer_test.go", "TestP14TransferBehindMinimal"},
	{"", "transfer before the first sync", "plugin/internal/xfr/transfer_test.go", "TestD18WhatIsTransferred"},
	{"", ofExternal + "hostname that leads in a circle", "plugin/k8s_external/hosts_test.go", "TestHostnamesWithinZone"},
	{"", ofExternal + "SRV of a Service with many hostnames", "plugin/k8s_external/bounded_test.go", "TestB3AddressesOfFewHosts"},
	{"", ofExternal + "NS under `headless`", "plugin/k8s_external/apex_test.go", "TestServers"},
	{"", ofExternal + "A, AAAA of the name server", "plugin/k8s_external/apex_test.go", "TestServers"},
	{"", "NOTIFY to secondaries", "plugin/internal/xfr/notify_test.go", "TestNotify"},
	{"", "the size that a reply over UDP says", "plugin/internal/udp/edns_test.go", "TestP10FlagsAndSize"},
	{"", "flags in the OPT record", "plugin/internal/udp/edns_test.go", "TestP10FlagsAndSize"},
	{"", "a question over UDP with two OPT records", "plugin/internal/udp/edns_test.go", "TestP10RejectsWithOPT"},
	{"", "NOTIMP and FORMERR", "plugin/internal/udp/edns_test.go", "TestP10RejectsWithOPT"},
	{"", "a question over UDP from an address outside", "plugin/clusterdns/handler_size_test.go", "TestB4RepliesToForeignClients"},
	{"", "EDNS option 19 (ZONEVERSION)", "plugin/internal/udp/edns_test.go", "TestP9ZoneVersionIsIgnored"},
	{"", "a question over UDP of more than 512 octets", "plugin/internal/udp/reader_linux_test.go", "TestP13LongQuestions"},
	{"", "an address with leading zeros in a number", "plugin/internal/kube/convert/address_test.go", "TestA6ParseAddr"},
	{"", "PTR of an endpoint's IPv6 address", "plugin/internal/kube/slices_test.go", "TestP3SpelledAddress"},
	{"", "SRV over TCP", "plugin/internal/answer/bounded_test.go", "TestP12WholeAnswerWithoutAddresses"},
	{"", "a reply over QUIC or HTTP/3", "plugin/internal/chain/encrypted_test.go", "TestP11StreamsAreNotCut"},
	{"", "a question with padding", "plugin/internal/chain/encrypted_test.go", "TestP11Padding"},
	{"", "a client of `tls://`", "plugin/internal/chain/encrypted_test.go", "TestP11DoTIsOffered"},
	{"", "questions on one TCP or TLS connection", "plugin/internal/fastpath/connections_test.go", "TestSilentUpstreamsHoldUpNoConnection"},
	{"", "idle TCP and TLS connections", "plugin/internal/tcp/crowd_test.go", "TestCrowd"},
	{"", "an answer of `cache`", "plugin/internal/fastpath/kept_test.go", "TestKeptRepliesAge"},
	{"", "`autopath @kubernetes` without `pods verified`", "plugin/clusterdns/autopath_test.go", "TestAutoPathNeedsPods"},
}

// An entry that no test shows may be wrong without anybody noticing.
func TestEntriesAreShown(t *testing.T) {
	entries := readEntries(t)
	r, _ := newReasons(entries, matchers)
	_, _ = r.addTransfers(transferMatchers), r.addBeside()
	shown := map[int]bool{}
	for _, e := range elsewhere {
		at, err := findEntry(entries, e.number, e.question)
		if err != nil {
			t.Errorf("%s: %v", *differences, err)
			continue
		}
		shown[at] = true
		if !strings.Contains(readText(t, "../../"+e.file), "\nfunc "+e.test+"(") {
			t.Errorf("%s shows %q no longer: it has no %s", e.file, entries[at], e.test)
		}
	}
	for i, e := range entries {
		if !r.meant(i) && !shown[i] {
			t.Errorf("%s: no matcher and no test shows %q", *differences, e)
		}
	}
}

// Every entry has its reason.
func TestEntriesHaveReasons(t *testing.T) {
	for _, e := range readEntries(t) {
		if e.number == "" && e.why == "" {
			t.Errorf("%s: %q has neither a defect's number nor a reason", *differences, e)
		}
	}
}
