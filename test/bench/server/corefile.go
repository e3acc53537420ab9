package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterdns/clusterdns/test/kit/corefile"
)

// Corefile has the differences from kubeadm's Corefile.
type Corefile struct {
	Multisocket int  // number of sockets; 0 for no plugin multisocket
	Whoami      bool // in place of the plugin kubernetes
	Lines       bool // a template for AAAA, and a rule of the plugin rewrite that matches no question
	Handed      bool // a plugin that has to see every question, and changes none
	TLS         bool // listen for DNS over TLS and HTTPS as well
	Verified    bool // "pods verified"
}

// text returns kubeadm's Corefile without the plugin loop, which would ask the upstream for nothing, and
// with pprof, which can force garbage collections.
func (c Corefile) text(s Setup, a Addresses) string {
	k := corefile.Kubeadm{
		Listen: strings.Join(c.listen(a), " "), Health: a.Health, Ready: a.Ready, Metrics: a.Metrics, Upstream: s.Upstream,
		Lines: c.lines(s, a), Properties: []string{fmt.Sprintf("kubeconfig %q", s.Kubeconfig)}, NoLoop: true,
	}
	if s.Verified {
		k.Pods = "verified"
	}
	if c.Whoami { // comes after forward, which must not take its names
		k.Source, k.Forward = "whoami", []string{"except cluster.local"}
	}
	return k.String()
}

func (c Corefile) listen(a Addresses) []string {
	all := []string{".:" + port(a.DNS)}
	if c.TLS {
		all = append(all, "tls://.:"+port(a.TLSAddress), "https://.:"+port(a.HTTPSAddress))
	}
	return all
}

// lines returns the lines that kubeadm's does not have.
func (c Corefile) lines(s Setup, a Addresses) []string {
	all := []string{"pprof " + a.Profile}
	if c.Multisocket > 0 {
		all = append(all, fmt.Sprint("multisocket ", c.Multisocket))
	}
	if c.TLS {
		all = append(all, fmt.Sprintf("tls %q %q", s.Certificate, s.Key))
	}
	if c.Lines {
		all = append(all, "rewrite stop name exact never.invalid other.invalid", "template ANY AAAA .")
	}
	if c.Handed {
		all = append(all, "tsig {\n secret never. bmV2ZXIgbmV2ZXIgbmV2ZXI=\n }")
	}
	return all
}

func (c Corefile) write(s Setup, a Addresses, dir string) ([]string, error) {
	path := filepath.Join(dir, "Corefile")
	return []string{"-conf", path}, os.WriteFile(path, []byte(c.text(s, a)), 0o600)
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }
