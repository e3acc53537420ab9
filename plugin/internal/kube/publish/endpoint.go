package publish

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
)

// apiDNSEndpoint is a DNSEndpoint of external-dns, with the fields that matter here.
type apiDNSEndpoint struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Endpoints []struct {
			DNSName    string   `json:"dnsName"`
			RecordType string   `json:"recordType"`
			Targets    []string `json:"targets"`
		} `json:"endpoints"`
	} `json:"spec"`
}

// dnsEndpoint converts a DNSEndpoint. Records of types that are not below are left out.
func (Settings) dnsEndpoint(obj metav1.Object) *Object {
	in := obj.(*apiDNSEndpoint)
	o := newObject("DNSEndpoint", in)
	var keys []string
	all := map[string]*targets{}
	for i, e := range in.Spec.Endpoints {
		key := hostname.DomainKey(e.DNSName)
		if key == "" {
			o.problem("spec.endpoints[%d].dnsName %q is no domain name", i, e.DNSName)
			continue
		}
		if all[key] == nil {
			all[key], keys = new(targets), append(keys, key)
		}
		o.addRecords(all[key], i, e.RecordType, e.Targets)
	}
	for _, key := range keys {
		if p := all[key].published(); p != nil {
			o.names = append(o.names, named{key, p})
		}
	}
	return o.orNil()
}

// addRecords adds the records of an endpoint, which are of one type.
func (o *Object) addRecords(to *targets, i int, rrtype string, list []string) {
	if !slices.Contains([]string{"A", "AAAA", "CNAME", "MX", "SRV", "TXT"}, rrtype) {
		o.problem("spec.endpoints[%d].recordType %q is not shown", i, rrtype)
		return
	}
	for k, text := range list {
		if !to.addRecord(rrtype, text) {
			o.problem("spec.endpoints[%d].targets[%d] %q is no target of type %s", i, k, shortened(text), rrtype)
		}
	}
}

// shortened returns a text, or its beginning if it is too long for a line.
func shortened(text string) string {
	const most = 100
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// addRecord adds a record, and reports whether the text is one of its type.
func (t *targets) addRecord(rrtype, text string) bool {
	switch rrtype {
	case "CNAME":
		return t.add("", text)
	case "TXT":
		return t.addData(cluster.TypeTXT, textData(text))
	case "MX":
		return t.addData(cluster.TypeMX, hostData(text, cluster.HostNumbers(cluster.TypeMX)))
	case "SRV":
		return t.addData(cluster.TypeSRV, hostData(text, cluster.HostNumbers(cluster.TypeSRV)))
	}
	return t.add(parseOf(rrtype, text), "")
}

// addData adds a record with this data, and reports whether there is any.
func (t *targets) addData(rrtype uint16, data string) bool {
	if r := (cluster.Record{Type: rrtype, Data: data}); data != "" && !slices.Contains(t.records.Records, r) {
		t.records.Records = append(t.records.Records, r)
		slices.SortStableFunc(t.records.Records, func(a, b cluster.Record) int { return cmp.Compare(a.Type, b.Type) })
	}
	return data != ""
}

// hostData returns the data of a record with numbers and the name of a host, in the order of the text,
// or "" for any other text. The name may be the root, which says that there is no such service (RFC 7505
// 3, RFC 2782).
func hostData(text string, numbers int) string {
	words := strings.Fields(text)
	if len(words) != numbers+1 {
		return ""
	}
	var data []byte
	for _, word := range words[:numbers] {
		n, err := strconv.ParseUint(word, 10, 16)
		if err != nil {
			return ""
		}
		data = binary.BigEndian.AppendUint16(data, uint16(n))
	}
	host := words[numbers]
	key := hostname.DomainKey(host)
	if _, err := netip.ParseAddr(strings.TrimSuffix(host, ".")); err == nil || strings.Contains(host, "*") {
		key = ""
	}
	if host == "." {
		key = "\x00"
	}
	if key == "" {
		return ""
	}
	return string(data) + key
}

// Sizes of texts: the longest string of a record (RFC 1035 3.3), and the longest text that is surely
// short enough for a message.
const (
	maxString = 255
	maxText   = 1<<15 - 1
)

// textData returns the data of a TXT record (RFC 1035 3.3.14), or "" for a text that is too long.
func textData(text string) string {
	if len(text) > maxText {
		return ""
	}
	data := []byte{}
	for part := range slices.Chunk([]byte(text), maxString) {
		data = append(append(data, byte(len(part))), part...)
	}
	if text == "" {
		data = append(data, 0)
	}
	return string(data)
}

// parseOf returns the address if it is of the record's family, or "".
func parseOf(rrtype, text string) string {
	if (rrtype == "AAAA") != strings.Contains(text, ":") {
		return ""
	}
	return text
}
