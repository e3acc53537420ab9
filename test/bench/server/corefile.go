package server

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
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

// kubeadm is kubeadm's Corefile without the plugin loop, which would ask the upstream for
// nothing, and with pprof, which can force garbage collections. The plugin whoami comes
// after forward, so forward must not take its names.
var kubeadm = template.Must(template.New("Corefile").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(
	`.:{{.Port}} {{with .TLSPort}}tls://.:{{.}} {{end}}{{with .HTTPSPort}}https://.:{{.}} {{end}}{
{{- if .Multisocket}}
    multisocket {{.Multisocket}}
{{- end}}
{{- if .TLS}}
    tls {{quote .Setup.Certificate}} {{quote .Setup.Key}}
{{- end}}
    errors
{{- if .Lines}}
    rewrite stop name exact never.invalid other.invalid
    template ANY AAAA .
{{- end}}
{{- if .Handed}}
    tsig {
        secret never. bmV2ZXIgbmV2ZXIgbmV2ZXI=
    }
{{- end}}
    health {{.Health}} {
        lameduck 5s
    }
    ready {{.Ready}}
{{- if .Whoami}}
    whoami
{{- else}}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig {{quote .Setup.Kubeconfig}}
        pods {{if .Verified}}verified{{else}}insecure{{end}}
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
{{- end}}
    prometheus {{.Metrics}}
    forward . {{.Setup.Upstream}} {
{{- if .Whoami}}
        except cluster.local
{{- end}}
        max_concurrent 1000
    }
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    reload
    loadbalance
    pprof {{.Profile}}
}
`))

// text fills in the template.
func (c Corefile) text(s Setup, a Addresses) (string, error) {
	data := struct {
		Corefile
		Addresses
		Setup                    Setup
		Port, TLSPort, HTTPSPort string
	}{c, a, s, port(a.DNS), "", ""}
	data.Verified = s.Verified
	if c.TLS {
		data.TLSPort, data.HTTPSPort = port(a.TLSAddress), port(a.HTTPSAddress)
	}
	var text strings.Builder
	err := kubeadm.Execute(&text, data)
	return text.String(), err
}

func (c Corefile) write(s Setup, a Addresses, dir string) ([]string, error) {
	text, err := c.text(s, a)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "Corefile")
	return []string{"-conf", path}, os.WriteFile(path, []byte(text), 0o600)
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }
