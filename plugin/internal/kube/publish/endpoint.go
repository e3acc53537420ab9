package publish

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/target"
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
	all := map[string]*target.List{}
	for i, e := range in.Spec.Endpoints {
		key := hostname.DomainKey(e.DNSName)
		if key == "" {
			o.problem("spec.endpoints[%d].dnsName %q is no domain name", i, e.DNSName)
			continue
		}
		if all[key] == nil {
			all[key], keys = new(target.List), append(keys, key)
		}
		if e.RecordType == "NS" && strings.HasPrefix(key, "\x01*") {
			o.problem("spec.endpoints[%d].dnsName %q is a wildcard, which cannot delegate a zone", i, e.DNSName)
			continue
		}
		o.addRecords(all[key], i, e.RecordType, e.Targets)
	}
	for _, key := range keys {
		if left := all[key].LeftOut(); left != "" {
			o.problem("%q has a CNAME record beside others, of which %s: an alias has nothing else", hostname.Of(key), left)
		}
		if p := all[key].Published(); p != nil {
			o.names = append(o.names, named{key, p})
		}
	}
	return o.orNil()
}

// addRecords adds the records of an endpoint, which are of one type.
func (o *Object) addRecords(to *target.List, i int, rrtype string, list []string) {
	if !target.IsShown(rrtype) {
		o.problem("spec.endpoints[%d].recordType %q is not shown", i, rrtype)
		return
	}
	for k, text := range list {
		switch {
		case to.IsSecondAlias(rrtype, text):
			o.problem("spec.endpoints[%d].targets[%d] %q is left out: a name has one CNAME record", i, k, text)
		case !to.AddRecord(rrtype, text):
			o.problem("spec.endpoints[%d].targets[%d] %q is no target of type %s", i, k, text, rrtype)
		}
	}
}
