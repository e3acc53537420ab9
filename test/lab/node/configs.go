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
	"cni":         "cni/10-bridge.conflist",
}

// values are the values for the templates.
type values struct {
	Dir                    Dir
	Kubeconfig, ResolvConf string
	Name                   string
	Address, AddressV6     string
	PodRangeV4, PodRangeV6 string
	Snapshotter            string
	ContainerdSocket       string
}

// writeConfigs writes the configuration files and returns their paths by part.
func (d Dir) writeConfigs(kubeconfig string) (map[string]string, error) {
	v := values{
		Dir: d, Kubeconfig: kubeconfig, ResolvConf: d.resolvConf(), Name: Name,
		Address: Address, AddressV6: AddressV6, PodRangeV4: podRangeV4, PodRangeV6: podRangeV6,
		Snapshotter: d.snapshotter(), ContainerdSocket: ContainerdSocket,
	}
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
		if paths[name], err = d.write(file, text.String()); err != nil {
			return nil, err
		}
	}
	return paths, nil
}
