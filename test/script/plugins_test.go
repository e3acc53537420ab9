package script

import (
	"log"
	"os"
	"slices"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/acl"
	_ "github.com/coredns/coredns/plugin/autopath"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/cancel"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metadata"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/rewrite"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/transfer"
	_ "github.com/coredns/coredns/plugin/view"
	_ "github.com/coredns/coredns/plugin/whoami"

	_ "github.com/clusterdns/clusterdns/plugin/clusterdns"
	_ "github.com/clusterdns/clusterdns/plugin/k8s_external"
	_ "github.com/clusterdns/clusterdns/plugin/k8s_gateway"
	_ "github.com/clusterdns/clusterdns/plugin/kubernetes"
)

func TestMain(m *testing.M) {
	// The plugins have these places in the server's own list.
	at := slices.Index(dnsserver.Directives, "kubernetes")
	if err := dnsserver.SetDirectives(slices.Replace(slices.Clone(dnsserver.Directives), at, at+1, "k8s_gateway", "kubernetes", "clusterdns")); err != nil {
		log.Fatal(err)
	}
	caddy.Quiet, dnsserver.Quiet = true, true
	os.Exit(m.Run())
}
