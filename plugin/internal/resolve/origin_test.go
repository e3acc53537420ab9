package resolve_test

import (
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func TestNoOrigin(t *testing.T) {
	for _, text := range []string{"..", "a..b", strings.Repeat("x", 64) + ".", ".a"} {
		if o, err := resolve.ParseOrigin(text); err == nil {
			t.Errorf("%s became %s", text, o)
		}
	}
	n, err := dnsname.Parse("www.example.com.")
	if err != nil {
		t.Fatal(err)
	}
	if new(resolve.View).Origin(&n) != nil {
		t.Error("a view without origins has a zone")
	}
}
