package server

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
)

// Both servers listen on every address, as CoreDNS does, use every core, and vary the order
// of an answer's addresses, as the plugin loadbalance does.
var (
	knotConf = template.Must(template.New("knot.conf").Parse(`server:
    rundir: "{{.Dir}}"
    listen: 0.0.0.0@{{.Port}}
    udp-workers: {{.Cores}}
    tcp-workers: {{.Cores}}
    udp-max-payload: 4096
    answer-rotation: on
database:
    storage: "{{.Dir}}"
log:
  - target: stderr
    any: warning
zone:
{{- range .Zones}}
  - domain: {{.}}
    file: "{{$.ZoneDir}}/{{.}}zone"
    zonefile-sync: -1
    journal-content: none
{{- end}}
`))
	nsdConf = template.Must(template.New("nsd.conf").Parse(`server:
    ip-address: 0.0.0.0@{{.Port}}
    server-count: {{.Cores}}
    reuseport: yes
    username: ""
    zonesdir: "{{.ZoneDir}}"
    pidfile: ""
    database: ""
    zonelistfile: "{{.Dir}}/zone.list"
    xfrdfile: "{{.Dir}}/xfrd.state"
    cookie-secret-file: "{{.Dir}}/cookies"
    ipv4-edns-size: 4096
    round-robin: yes
    rrl-ratelimit: 0
    hide-version: yes
remote-control:
    control-enable: no
{{- range .Zones}}
zone:
    name: "{{.}}"
    zonefile: "{{.}}zone"
{{- end}}
`))
)

func writeKnot(s Setup, a Addresses, dir string) ([]string, error) {
	path := filepath.Join(dir, "knot.conf")
	return []string{"-c", path}, writeStatic(knotConf, path, s, a)
}

func writeNSD(s Setup, a Addresses, dir string) ([]string, error) {
	path := filepath.Join(dir, "nsd.conf")
	return []string{"-d", "-c", path}, writeStatic(nsdConf, path, s, a)
}

func writeStatic(conf *template.Template, path string, s Setup, a Addresses) error {
	var text strings.Builder
	err := conf.Execute(&text, map[string]any{
		"Dir": filepath.Dir(path), "ZoneDir": s.ZoneDir, "Port": port(a.DNS), "Cores": runtime.NumCPU(), "Zones": oracle.Zones,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

// WriteZones writes the zone files that both servers read.
func WriteZones(o *oracle.Oracle, dir string) error {
	for _, origin := range oracle.Zones {
		file, err := os.Create(filepath.Join(dir, origin+"zone"))
		if err != nil {
			return err
		}
		if err := o.WriteZone(file, origin); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}
