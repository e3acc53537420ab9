package spelling

import (
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		text, want string
		words      string // in the note, of which there is none without words
	}{
		{"web", "web", ""},
		{"web.shop.", "web.shop.", ""},
		{"_http._tcp.web", "_http._tcp.web", ""},
		{"*.web", "*.web", ""},
		{".", ".", ""},
		{"http://web", "web", "http://web is a URL, of which only the host is looked up: where a program expects a name, write web"},
		{"https://user:secret@web.shop/path?q=1", "web.shop", "write web.shop"},
		{"redis://web?db=1", "web", "write web"},
		{"web:80", "web", "web:80 has a port, which is no part of a name: the name is web"},
		{"web/path", "web", "the name is web, and path.web if you mean Service path of Namespace web"},
		{"web/", "web", "the name is web"},
		{"https://a/b@c", "a", "https://a/b@c is a URL"},
		{"svc/web", "web", "svc/web is a form of kubectl's, without a meaning in DNS: the name is web"},
		{"WEB.Shop", "web.shop", "WEB.Shop is the same name as web.shop"},
		{" web\n", "web", `" web\n" has blanks at an end, which a program takes for a part of the name: write web`},
		{"localhost", "localhost", "/etc/hosts"},
		{"10.96.0.10", "10.0.96.10.in-addr.arpa.", "10.96.0.10 is an address"},
		{"10.96.0.0/12", "0.0.96.10.in-addr.arpa.", "10.96.0.0 is an address"},
		{"fd00::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.", "fd00::1 is an address"},
		{"fe80::1%eth0", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa.", "is an address"},
		{"[fd00::1]", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.", "the address is fd00::1"},
		{"[fd00::1]:53", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.", "the address is fd00::1"},
		{"10.96.0.10:53", "10.0.96.10.in-addr.arpa.", "the address is 10.96.0.10"},
		{"http://10.96.0.10:80/x", "10.0.96.10.in-addr.arpa.", "10.96.0.10 is an address"},
		{"http://WEB:80/x", "web", "write WEB\nWEB is the same name as web"},
	} {
		n, err := Read(tc.text)
		said := strings.Join(n.Notes, "\n")
		if err != nil || n.Text != tc.want || n.Reverse != strings.HasSuffix(tc.want, ".arpa.") || !strings.Contains(said, tc.words) || tc.words == "" && said != "" {
			t.Errorf("%q: %+v, %v; want %s and %q", tc.text, n, err, tc.want, tc.words)
		}
		if strings.Contains(said, "secret") {
			t.Errorf("%q: a password is said: %s", tc.text, said)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for text, words := range map[string]string{
		"":                                 "expected a name",
		"  ":                               "blank",
		"web..":                            "web.. has a dot too many: there is one between two labels, and at most one at the end. Write web",
		"..":                               ".. is no name",
		".web":                             "Write web",
		"db..shop":                         "Write db.shop",
		"my web":                           `"my web" has a blank within`,
		"web\t80":                          "blank",
		"bücher":                           "xn--",
		"a:b:c":                            "a:b:c is no name",
		"/web":                             "/web is no name",
		"http://":                          "http:// is no name",
		strings.Repeat("x", 64):            "at most 63 characters",
		strings.Repeat("x.", 130) + "shop": "at most 253",
	} {
		if n, err := Read(text); err == nil && words != "" || err != nil && !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %+v, %v; want %q", text, n, err, words)
		}
	}
}
