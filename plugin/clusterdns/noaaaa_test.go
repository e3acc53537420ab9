package clusterdns

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/rewrite"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/upstream"
)

func TestNoAAAAProperty(t *testing.T) {
	for _, tc := range []struct {
		line, variable string
		want           noAAAAMode
		fails          string // part of the error
	}{
		{"", "", noAAAAOff, ""},
		{"no_aaaa", "", noAAAAAuto, ""},
		{"no_aaaa auto", "on", noAAAAAuto, ""},
		{"no_aaaa on", "", noAAAAOn, ""},
		{"no_aaaa off", "on", noAAAAOff, ""},
		{"", "auto", noAAAAAuto, ""},
		{"", " on ", noAAAAOn, ""},
		{"", "off", noAAAAOff, ""},
		{"no_aaaa yes", "", 0, "Corefile:3"},
		{"no_aaaa on auto", "", 0, "[auto|on|off]"},
		{"", "true", 0, "CLUSTERDNS_NO_AAAA"},
	} {
		cfg, err := parse(caddy.NewTestController("dns", "kubernetes cluster.local {\n\n"+tc.line+"\n}"), "")
		if err == nil {
			err = cfg.noAAAAFrom(func(string) string { return tc.variable })
		}
		switch {
		case tc.fails != "":
			if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(tc.fails, "Corefile")) {
				t.Errorf("%+v: %v", tc, err)
			}
		case err != nil || cfg.noAAAA.mode != tc.want:
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

// no_aaaa auto looks at the addresses of the cluster and of the server.
func TestNoAAAAAuto(t *testing.T) {
	const four = "namespace a\nclusterip a/web 10.3.0.1 http/tcp/80\nheadless a/db\nslice a/db s pg/tcp/5432 10.1.0.1\n"
	asked := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeAAAA)
	for _, tc := range []struct {
		title, world string
		s            silencer
		want         bool
	}{
		{"off", four, silencer{mode: noAAAAOff}, false},
		{"IPv4 alone", four, silencer{mode: noAAAAAuto}, true},
		{"the server has IPv6", four, silencer{mode: noAAAAAuto, local6: true}, false},
		{"a Service has IPv6", four + "clusterip a/six 2001:db8::1 http/tcp/80\n", silencer{mode: noAAAAAuto}, false},
		{"an endpoint has a unique local address", four + "slice a/db t pg/tcp/5432 fd00::1\n", silencer{mode: noAAAAAuto}, false},
		{"on", four + "clusterip a/six 2001:db8::1 http/tcp/80\n", silencer{mode: noAAAAOn, local6: true}, true},
	} {
		if got := tc.s.silences(clustertest.Snapshot(t, tc.world), asked); got != tc.want {
			t.Errorf("%s: %v", tc.title, got)
		}
	}
	if s := (silencer{mode: noAAAAAuto}); s.silences(cluster.NewStore().Load(), asked) {
		t.Error("the cluster is not known yet")
	}
}

// Only plain questions for AAAA are answered without data.
func TestNoAAAAQuestions(t *testing.T) {
	s, snapshot := silencer{mode: noAAAAOn}, cluster.NewStore().Load()
	for _, tc := range []struct {
		title string
		want  bool
		edit  func(*dns.Msg)
	}{
		{"AAAA", true, func(*dns.Msg) {}},
		{"EDNS", true, func(m *dns.Msg) { m.SetEdns0(1232, false) }},
		{"DO", false, func(m *dns.Msg) { m.SetEdns0(1232, true) }},
		{"CD", false, func(m *dns.Msg) { m.CheckingDisabled = true }},
		{"A", false, func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA }},
		{"another class", false, func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }},
		{"no question", false, func(m *dns.Msg) { m.Question = nil }},
	} {
		m := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeAAAA)
		tc.edit(m)
		if got := s.silences(snapshot, m); got != tc.want {
			t.Errorf("%s: %v", tc.title, got)
		}
	}
}

// What the server block says about A decides.
func TestNoAAAAByA(t *testing.T) {
	address := test.A("www.example.com. 600 IN A 192.0.2.1")
	soa := test.SOA("example.com. 30 IN SOA ns.example.com. hostmaster.example.com. 1 7200 1800 86400 30")
	for _, tc := range []struct {
		title string
		up    *dns.Msg
		err   error
		rcode int
		soa   string // owner; empty for none
	}{
		{"exists", &dns.Msg{Answer: []dns.RR{address}}, nil, dns.RcodeSuccess, "www.example.com."},
		{"has no A", &dns.Msg{Ns: []dns.RR{soa}}, nil, dns.RcodeSuccess, "example.com."},
		{"an empty reply", new(dns.Msg), nil, dns.RcodeSuccess, ""},
		{"does not exist", &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}, Ns: []dns.RR{soa}}, nil, dns.RcodeNameError, "example.com."},
		{"fails", &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeServerFailure}}, nil, dns.RcodeServerFailure, ""},
		{"no reply", nil, errors.New("no reply"), dns.RcodeServerFailure, ""},
	} {
		d := testHandler(t)
		d.noAAAA = silencer{mode: noAAAAOn, silenced: collectors.Silenced(), asked: says(tc.up, tc.err)}
		m := d.withoutAAAA(t.Context(), &test.ResponseWriter{}, new(dns.Msg).SetQuestion("www.example.com.", dns.TypeAAAA))
		owner := ""
		for _, rr := range m.Ns {
			owner = rr.Header().Name
			if rr.Header().Ttl > maxSilence {
				t.Errorf("%s: %s", tc.title, rr)
			}
		}
		if m.Rcode != tc.rcode || len(m.Answer) > 0 || owner != tc.soa {
			t.Errorf("%s: %s", tc.title, m)
		}
	}
	d := testHandler(t)
	d.noAAAA.asked = says(&dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeRefused}}, nil)
	if m := d.withoutAAAA(t.Context(), &test.ResponseWriter{}, new(dns.Msg).SetQuestion("www.example.com.", dns.TypeAAAA)); m != nil {
		t.Errorf("nobody answers for the name: %s", m)
	}
}

// says returns a handler that writes a reply, or fails.
func says(m *dns.Msg, err error) plugin.Handler {
	return plugin.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		if err != nil {
			return dns.RcodeServerFailure, err
		}
		return m.Rcode, w.WriteMsg(m)
	})
}

// A is asked for by the name that rewrite has made, in the server block of the question. A name that the
// rule makes may match it again, and another server block may have it.
func TestNoAAAABehindRewrite(t *testing.T) {
	answers := func(r *dns.Msg) *dns.Msg {
		if name := r.Question[0].Name; name != "www.inner.example.com." && name != "www.moved.test." {
			return new(dns.Msg).SetRcode(r, dns.RcodeNameError)
		}
		return upstream.Address(r, 30)
	}
	up := upstream.Start(t, answers)
	for _, cache := range []string{"", "cache"} {
		i := coredns.StartTest(t, `
.:0 {
    bind 127.0.0.1
    rewrite continue name suffix .example.com. .inner.example.com. answer auto
    rewrite stop name exact old.test. www.moved.test.
    `+cache+`
    kubernetes cluster.local {
        manifests `+manifest(t)+`
        no_aaaa on
    }
    forward . `+up+`
}
moved.test:0 {
    bind 127.0.0.1
}
`)
		for name, want := range map[string]int{"www.example.com.": dns.RcodeSuccess, "no.example.com.": dns.RcodeNameError, "old.test.": dns.RcodeSuccess} {
			for range 2 { // the second from the cache
				m, _, err := coredns.Client("udp").Exchange(new(dns.Msg).SetQuestion(name, dns.TypeAAAA), i.UDP())
				if err != nil {
					t.Fatal(err)
				}
				if m.Rcode != want || len(m.Answer) > 0 || m.Question[0].Name != name || want == dns.RcodeSuccess && (len(m.Ns) != 1 || m.Ns[0].Header().Name != name) {
					t.Errorf("%s, %q: %s", name, cache, m)
				}
			}
		}
	}
}
