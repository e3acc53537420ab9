package hostname

import "testing"

// Letters of other alphabets become A-labels, and capitals small letters.
func TestKeys(t *testing.T) {
	for host, want := range map[string]string{
		"Shop.Example.org":           "shop.example.org.",
		"b\u00fccher.example.org":    "xn--bcher-kva.example.org.",
		"*.B\u00dcCHER.example.org.": "*.xn--bcher-kva.example.org.",
		"XN--bcher-KVA.example.org":  "xn--bcher-kva.example.org.",
		"\u65e5\u672c.example.org":   "xn--wgv71a.example.org.",
		"\u65e5\u672c\u3002example":  "xn--wgv71a.example.",
		"a\u200db.example.org":       "",
		"\xff\xfe.example.org":       "",
		"b\u00fccher..example.org":   "",
		"a b\u00fc.example.org":      "",
	} {
		for name, key := range map[string]func(string) string{"Key": Key, "DomainKey": DomainKey} {
			got := key(host)
			if got != "" {
				got = Of(got)
			}
			if got != want {
				t.Errorf("%s(%q) is %q, want %q", name, host, got, want)
			}
		}
	}
}

func TestHostnamesInCommon(t *testing.T) {
	for _, tc := range []struct{ listener, route, want string }{
		{"", "a.example.org", "a.example.org"},
		{"", "*.example.org", "*.example.org"},
		{"a.example.org", "", "a.example.org"},
		{"*.example.org", "", "*.example.org"},
		{"", "", ""},
		{"a.example.org", "a.example.org", "a.example.org"},
		{"a.example.org", "b.example.org", "none"},
		{"*.example.org", "a.example.org", "a.example.org"},
		{"*.example.org", "b.a.example.org", "b.a.example.org"},
		{"*.example.org", "example.org", "none"},
		{"*.example.org", "aexample.org", "none"},
		{"a.example.org", "*.example.org", "a.example.org"},
		{"*.a.example.org", "*.example.org", "*.a.example.org"},
		{"*.example.org", "*.a.example.org", "*.a.example.org"},
		{"*.example.org", "*.example.net", "none"},
		{"*.example.org", "*.example.org", "*.example.org"},
	} {
		got, ok := Common(tc.listener, tc.route)
		if !ok {
			got = "none"
		}
		if got != tc.want {
			t.Errorf("%q and %q: %s, want %s", tc.listener, tc.route, got, tc.want)
		}
	}
}
