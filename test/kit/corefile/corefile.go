// Package corefile writes the Corefiles that kubeadm and NodeLocal DNSCache come with, with the addresses and ports of a
// test. What a test leaves empty is as it is there.
package corefile

import (
	"cmp"
	"strings"
	"text/template"
)

// Kubeadm is the Corefile of kubeadm. Its zero value is that of Kubernetes 1.36, to the letter.
type Kubeadm struct {
	Listen                 string   // addresses of the server block
	Health, Ready, Metrics string   // addresses
	Upstream               string   // servers for outside names, or a file that has them
	Lines                  []string // more lines of the server block
	Pods                   string   // the argument of pods
	Properties             []string // more properties of kubernetes
	Source                 string   // a directive in place of kubernetes
	Forward                []string // more properties of forward
	NoLoop                 bool     // without loop, which asks the upstream a question at the start
	Reduced                bool     // only what a question passes through: no loop, health, ready, prometheus or reload
}

var kubeadm = template.Must(template.New("kubeadm").Parse(`{{.Listen}} {
    errors
{{- range .Lines}}
    {{.}}
{{- end}}
{{- if not .Reduced}}
    health{{with .Health}} {{.}}{{end}} {
       lameduck 5s
    }
    ready{{with .Ready}} {{.}}{{end}}
{{- end}}
{{- if .Source}}
    {{.Source}}
{{- else}}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods {{.Pods}}
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
{{- range .Properties}}
       {{.}}
{{- end}}
    }
{{- end}}
{{- if not .Reduced}}
    prometheus {{.Metrics}}
{{- end}}
    forward . {{.Upstream}} {
       max_concurrent 1000
{{- range .Forward}}
       {{.}}
{{- end}}
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
{{- if not (or .Reduced .NoLoop)}}
    loop
{{- end}}
{{- if not .Reduced}}
    reload
{{- end}}
    loadbalance
}
`))

// String returns the text.
func (k Kubeadm) String() string {
	k.Listen, k.Pods, k.Metrics = cmp.Or(k.Listen, ".:53"), cmp.Or(k.Pods, "insecure"), cmp.Or(k.Metrics, ":9153")
	k.Upstream = cmp.Or(k.Upstream, resolvConf)
	return fill(kubeadm, k)
}

// NodeLocal is the Corefile in the manifest of NodeLocal DNSCache in Kubernetes 1.36, filled in as its program does.
type NodeLocal struct {
	Port            string
	Bind            string // addresses
	Health, Metrics string // addresses
	Cluster         string // server for the names of the cluster: the address of the Service kube-dns-upstream
	Upstream        string // servers for outside names, or a file that has them
}

var nodeLocal = template.Must(template.New("NodeLocal").Parse(`{{define "lines"}}
    reload
    loop
    bind {{.Bind}}
    prometheus {{.Metrics}}
{{- end}}
{{- define "cluster"}}
    forward . {{.Cluster}} {
        force_tcp
    }
{{- end -}}
cluster.local:{{.Port}} {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
    {{- template "lines" .}}
    {{- template "cluster" .}}
    health {{.Health}}
}
in-addr.arpa:{{.Port}} {
    errors
    cache 30
    {{- template "lines" .}}
    {{- template "cluster" .}}
}
ip6.arpa:{{.Port}} {
    errors
    cache 30
    {{- template "lines" .}}
    {{- template "cluster" .}}
}
.:{{.Port}} {
    errors
    cache 30
    {{- template "lines" .}}
    forward . {{.Upstream}}
}
`))

// String returns the text.
func (n NodeLocal) String() string {
	n.Port, n.Bind = cmp.Or(n.Port, "53"), cmp.Or(n.Bind, "169.254.20.10 10.96.0.10")
	n.Health, n.Metrics = cmp.Or(n.Health, "169.254.20.10:8080"), cmp.Or(n.Metrics, ":9253")
	n.Upstream = cmp.Or(n.Upstream, resolvConf)
	return fill(nodeLocal, n)
}

// resolvConf has the servers that the machine asks.
const resolvConf = "/etc/resolv.conf"

func fill(t *template.Template, data any) string {
	var text strings.Builder
	if err := t.Execute(&text, data); err != nil {
		panic(err) // a fault of the template
	}
	return text.String()
}
