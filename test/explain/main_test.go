package explain

import (
	"log"
	"os"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/cmd/coredns/bundle"
)

func TestMain(m *testing.M) {
	if err := dnsserver.SetDirectives(bundle.Directives); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}
