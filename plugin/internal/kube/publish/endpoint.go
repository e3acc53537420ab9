package publish

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/rdata"
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
	all := map[string]*rrsets{}
	for i, e := range in.Spec.Endpoints {
		key := hostname.DomainKey(e.DNSName)
		if key == "" {
			o.problem("spec.endpoints[%d].dnsName %q is no domain name", i, e.DNSName)
			continue
		}
		if all[key] == nil {
			all[key], keys = &rrsets{known: map[cluster.Record]bool{}}, append(keys, key)
		}
		if e.RecordType == "NS" && strings.HasPrefix(key, "\x01*") {
			o.problem("spec.endpoints[%d].dnsName %q is a wildcard, which cannot delegate a zone", i, e.DNSName)
			continue
		}
		o.addRecords(all[key], i, e.RecordType, e.Targets)
	}
	for _, key := range keys {
		if left := all[key].leftOut(); left != "" {
			o.problem("%q has a CNAME record beside others, of which %s: an alias has nothing else", hostname.Of(key), left)
		}
		if p := all[key].published(); p != nil {
			o.names = append(o.names, named{key, p})
		}
	}
	return o.orNil()
}

// rrsets collects the records of a name.
type rrsets struct {
	targets
	known map[cluster.Record]bool
}

// leftOut returns which records are left out because the name has an alias too, or "".
func (r *rrsets) leftOut() string {
	switch {
	case r.alias == "":
		return ""
	case len(r.records.Addrs) > 0:
		return "the CNAME record is left out"
	case len(r.records.Records) > 0:
		return "the others are left out"
	}
	return ""
}

func (r *rrsets) published() *cluster.Published {
	slices.SortStableFunc(r.records.Records, func(a, b cluster.Record) int { return cmp.Compare(a.Type, b.Type) })
	return r.targets.published()
}

// addRecords adds the records of an endpoint, which are of one type.
func (o *Object) addRecords(to *rrsets, i int, rrtype string, list []string) {
	if rdata.TypeOf(rrtype) == 0 && !slices.Contains([]string{"A", "AAAA", "CNAME"}, rrtype) {
		o.problem("spec.endpoints[%d].recordType %q is not shown", i, rrtype)
		return
	}
	for k, text := range list {
		aliased := to.alias != ""
		switch ok := to.addRecord(rrtype, text); {
		case !ok:
			o.problem("spec.endpoints[%d].targets[%d] %q is no target of type %s", i, k, text, rrtype)
		case aliased && rrtype == "CNAME" && !strings.EqualFold(convert.Hostname(text), to.alias):
			o.problem("spec.endpoints[%d].targets[%d] %q is left out: a name has one CNAME record", i, k, text)
		}
	}
}

// addRecord adds a record, and reports whether the text is one of its type.
func (r *rrsets) addRecord(rrtype, text string) bool {
	if number := rdata.TypeOf(rrtype); number != 0 {
		return r.addData(number, rdata.Parse(number, text))
	}
	if rrtype == "CNAME" {
		return r.add("", text)
	}
	return r.add(parseOf(rrtype, text), "")
}

// addData adds a record with this data, and reports whether there is any.
func (r *rrsets) addData(rrtype uint16, data string) bool {
	if record := (cluster.Record{Type: rrtype, Data: data}); data != "" && !r.known[record] {
		r.known[record] = true
		r.records.Records = append(r.records.Records, record)
	}
	return data != ""
}

// parseOf returns the address if it is of the record's family, or "".
func parseOf(rrtype, text string) string {
	if (rrtype == "AAAA") != strings.Contains(text, ":") {
		return ""
	}
	return text
}
