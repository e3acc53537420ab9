// Package kubernetes registers the clusterdns plugin under the stock plugin's
// name, so that a Corefile written for stock CoreDNS needs no change.
package kubernetes

import (
	"github.com/coredns/coredns/plugin"

	"github.com/clusterdns/clusterdns/plugin/clusterdns"
)

func init() { plugin.Register("kubernetes", clusterdns.SetupAs("kubernetes")) }
