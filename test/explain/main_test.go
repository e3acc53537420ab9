package explain

import (
	"log"
	"os"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/cmd/coredns/bundle"
	"github.com/clusterdns/clusterdns/plugin/commands"
)

// commandVariable makes a process of the tests the command, which asks the server of another process.
const commandVariable = "CLUSTERDNS_TEST_COMMAND"

func TestMain(m *testing.M) {
	if err := dnsserver.SetDirectives(bundle.Directives); err != nil {
		log.Fatal(err)
	}
	if os.Getenv(commandVariable) != "" {
		os.Exit(commands.Explain(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}
