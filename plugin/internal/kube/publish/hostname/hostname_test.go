package hostname

import "testing"

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
