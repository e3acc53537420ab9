package prose

import "testing"

func TestDoubled(t *testing.T) {
	for _, text := range []string{"for cluster.local..", "serves cluster.local., and", "a;; b", "so, . b", "one  two", "what: .", "end "} {
		if !doubled.MatchString(text) {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{"No question for example.org. comes here.", "and so on ...", "fd00::1, fd00::", "a zone . or two", "dns://:53: no", "forward . 192.0.2.1"} {
		if found := doubled.FindString(text); found != "" {
			t.Errorf("%q in %q", found, text)
		}
	}
}
