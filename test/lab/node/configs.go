package node

import (
	"bytes"
	"embed"
	"fmt"
	"text/template"
)

// templates are the parts' configuration files, each named after its part.
//
//go:embed templates
var templates embed.FS

// configFiles are the names of the files to write, by template.
var configFiles = map[string]string{
	"containerd":  "containerd.toml",
	"kubelet":     "kubelet.yaml",
	"kube-proxy":  "kube-proxy.yaml",
	"upstream":    "upstream/Corefile",
	"example.com": "upstream/example.com.zone",
	"8.8.8":       "upstream/8.8.8.zone",
	"cni":         "cni/10-lab.conflist",
}

// values are the values for the templates.
type values struct {
	Dir                    Dir
	Kubeconfig, ResolvConf string
	Name                   string
	Address, AddressV6     string
	PodRangeV4, PodRangeV6 string // of the node
	AllPods                string // ranges of all nodes
	Proxy, CNI             string // settings
	Snapshotter            string
	ContainerdSocket       string
}

func (m machine) values() values {
	v4, v6 := m.podRange()
	return values{
		Dir: m.dir, Kubeconfig: m.dir.Kubeconfig(), ResolvConf: m.dir.resolvConf(), Name: m.name(),
		Address: m.address(), AddressV6: m.addressV6(), PodRangeV4: v4, PodRangeV6: v6,
		AllPods: podRangeV4 + "," + podRangeV6, Proxy: m.settings.Proxy, CNI: m.settings.plugin(m.number),
		Snapshotter: m.dir.snapshotter(), ContainerdSocket: ContainerdSocket,
	}
}

// writeConfigs writes the configuration files and returns their paths by part.
func (m machine) writeConfigs() (map[string]string, error) {
	v := m.values()
	all, err := template.ParseFS(templates, "templates/*")
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for name, file := range configFiles {
		var text bytes.Buffer
		if err := all.ExecuteTemplate(&text, name, v); err != nil {
			return nil, fmt.Errorf("configuration of %s: %w", name, err)
		}
		if paths[name], err = m.dir.write(file, text.String()); err != nil {
			return nil, err
		}
	}
	return paths, nil
}
