package differential

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const someCorefile = `. dns://example.org:5300 {
    health {
        lameduck 5s
    }
    prometheus 127.0.0.1:9999
    template ANY ANY {
        answer "{{ .Name }} 60 IN TXT \"a # b\""
    }
    kubernetes cluster.local 10.96.0.0/15 ip6.arpa {
        namespaces a b
        namespaces c
        labels app in (x, y)
        endpoint_pod_names
        ttl 7
        fallthrough ip6.arpa
    }
    cache 20 {
        disable denial cluster.local
        disable success cluster.local
    }
}
other {
    erratic
}
`

func TestParseCorefile(t *testing.T) {
	got, err := parseCorefile("testdata/some.corefile", someCorefile)
	if err != nil {
		t.Fatal(err)
	}
	want := &corefile{
		name: "some", path: "testdata/some.corefile", port: 53,
		origins: []string{"cluster.local."}, reverse: []string{"96.10.in-addr.arpa.", "97.10.in-addr.arpa.", "ip6.arpa."},
		namespaces: []string{"a", "b", "c"}, through: []string{"ip6.arpa."}, labels: "app in (x, y)",
		ttl: 7, cached: true, cacheTTL: 20, uncached: "cluster.local.", podNames: true, ordered: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(corefile{}), cmpopts.IgnoreFields(corefile{}, "blocks")); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{
		"", ". {\n forward . /etc/resolv.conf\n}", ". {\n kubernetes\n}\na {\n kubernetes\n}",
		". {\n kubernetes {\n ttl x\n }\n}", ". {\n kubernetes\n cache x\n}", ". {",
	} {
		if _, err := parseCorefile("x", text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

const movedCorefile = `.:10053 dns://example.org:15300 {
cache 20 {
disable denial cluster.local
disable success cluster.local
}
health :18080
kubernetes cluster.local 10.96.0.0/15 ip6.arpa {
namespaces a b
namespaces c
labels app in (x, y)
endpoint_pod_names
ttl 7
fallthrough ip6.arpa
}
prometheus 127.0.0.1:19999
ready :18181
template ANY ANY {
answer "{{ .Name }} 60 IN TXT \"a # b\""
}
}
other:10053 {
erratic
}
.:15053 {
cache 20 {
disable denial cluster.local
disable success cluster.local
}
template ANY ANY {
answer "{{ .Name }} 60 IN TXT \"a # b\""
}
}
`

// Of what a server is told, nothing but the ports is changed.
func TestCorefileText(t *testing.T) {
	c, err := parseCorefile("some", someCorefile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(movedCorefile, c.text(10000)); diff != "" {
		t.Error(diff)
	}
	if _, err := parseCorefile("again", c.text(10000)); err != nil {
		t.Errorf("cannot be read again: %v", err)
	}
}
