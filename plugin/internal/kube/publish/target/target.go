// Package target collects what a name has, as objects write it: addresses, hostnames and the data of records.
package target

import (
	"cmp"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/rdata"
)

// List is what one name has: addresses and records or, without an address, the first hostname, since a name
// with an alias has nothing else (RFC 1034 3.6.2).
type List struct {
	Alias   string // the first hostname
	records cluster.Published
	known   map[cluster.Record]bool
}

// Add adds an address or a hostname, and reports false for what is neither.
func (l *List) Add(ip, host string) bool {
	if a := convert.ParseAddr(ip); a.IsValid() {
		l.records.Addrs = append(l.records.Addrs, a)
		return true
	}
	alias := convert.Hostname(host)
	if l.Alias == "" {
		l.Alias = alias
	}
	return alias != ""
}

// HasAddrs reports whether there is an address.
func (l *List) HasAddrs() bool { return len(l.records.Addrs) > 0 }

// IsShown reports whether records of a type are collected.
func IsShown(rrtype string) bool {
	return rdata.TypeOf(rrtype) != 0 || slices.Contains([]string{"A", "AAAA", "CNAME"}, rrtype)
}

// AddRecord adds a record of a type that is collected, and reports whether the text is one of that type.
func (l *List) AddRecord(rrtype, text string) bool {
	if number := rdata.TypeOf(rrtype); number != 0 {
		return l.addData(number, rdata.Parse(number, text))
	}
	if rrtype == "CNAME" {
		return l.Add("", text)
	}
	return l.Add(parseOf(rrtype, text), "")
}

// addData adds a record with this data, and reports whether there is any.
func (l *List) addData(rrtype uint16, data string) bool {
	if record := (cluster.Record{Type: rrtype, Data: data}); data != "" && !l.known[record] {
		if l.known == nil {
			l.known = map[cluster.Record]bool{}
		}
		l.known[record] = true
		l.records.Records = append(l.records.Records, record)
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

// IsSecondAlias reports whether a text would be a second CNAME record.
func (l *List) IsSecondAlias(rrtype, text string) bool {
	alias := convert.Hostname(text)
	return rrtype == "CNAME" && l.Alias != "" && alias != "" && !strings.EqualFold(alias, l.Alias)
}

// LeftOut returns in words which records are left out because the name has an alias too, or "".
func (l *List) LeftOut() string {
	switch {
	case l.Alias == "":
		return ""
	case l.HasAddrs():
		return "the CNAME record is left out"
	case len(l.records.Records) > 0:
		return "the others are left out"
	}
	return ""
}

// Published returns what the name has, or nil if it has nothing.
func (l *List) Published() *cluster.Published {
	l.records.Addrs = cluster.Distinct(l.records.Addrs)
	slices.SortStableFunc(l.records.Records, func(a, b cluster.Record) int { return cmp.Compare(a.Type, b.Type) })
	switch {
	case !l.HasAddrs() && l.Alias != "":
		return &cluster.Published{Alias: l.Alias}
	case l.HasAddrs() || len(l.records.Records) > 0:
		return &l.records
	}
	return nil
}
