package patient

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/check/written"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
)

// Corefile is the Corefile of some replicas.
type Corefile struct {
	Path    string // as people find it
	Body    []byte
	Outline *check.Outline
	Found   []check.Finding // what check says of it
	At      bool            // it is read where the server runs, with the files that it names
}

// readCorefiles reads the Corefile of each replica, of which most have the same, and has it judged.
func (p *Patient) readCorefiles(ctx context.Context) (all []*Corefile, err error) {
	if p.Corefile != "" {
		c := &Corefile{Path: p.Corefile}
		if c.Body, err = os.ReadFile(c.Path); err == nil {
			c.Path, c.Body, err = written.Unwrapped(c.Path, c.Body, false)
		}
		if err == nil {
			err = p.judge(c, nil)
		}
		return []*Corefile{c}, err
	}
	replicas, err := p.Replicas()
	if err != nil {
		return nil, err
	}
	if own := p.Itself(); own != nil {
		replicas = []*Replica{own}
	}
	for _, r := range replicas {
		c, err := p.corefileOf(ctx, r, all)
		if err == nil && c != nil {
			err = p.judge(c, r.Server().Env)
			all = append(all, c)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// corefileOf reads the Corefile of a replica, unless it is among those that are read.
func (p *Patient) corefileOf(ctx context.Context, r *Replica, read []*Corefile) (c *Corefile, err error) {
	file := confOf(r.Server())
	if r == p.Itself() {
		body, err := os.ReadFile(file)
		return &Corefile{Path: file, Body: body, At: true}, err
	}
	name, key := configMapOf(r, file)
	if name == "" {
		return nil, api.Errorf("give the file: -conf FILE", "%s of Pod %s is in no ConfigMap", file, r.Name)
	}
	path := fmt.Sprintf("ConfigMap %s/%s:%s", r.Namespace, name, key)
	if slices.ContainsFunc(read, func(c *Corefile) bool { return c.Path == path }) {
		return nil, nil
	}
	body, err := p.configMap(ctx, r.Namespace, name, key)
	return &Corefile{Path: path, Body: []byte(body)}, err
}

// judge has a Corefile judged with the environment of its replica.
func (p *Patient) judge(c *Corefile, env []corev1.EnvVar) (err error) {
	if !c.At {
		defer setEnv(env)()
	}
	if c.Outline, err = check.Outlined(c.Path, c.Body); err != nil {
		return err
	}
	var options check.Options
	if s, err := p.Service(); err == nil {
		for _, text := range s.Spec.ClusterIPs {
			if a, err := netip.ParseAddr(text); err == nil {
				options.Services = append(options.Services, a)
			}
		}
	}
	c.Found = check.Corefile(c.Path, c.Body, options)
	return nil
}

// confOf returns the path of the Corefile in a container.
func confOf(c *corev1.Container) string {
	words := slices.Concat(c.Command, c.Args)
	for i, word := range words {
		name, value, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
		switch {
		case name != "conf" || !strings.HasPrefix(word, "-"):
		case joined:
			return value
		case i+1 < len(words):
			return words[i+1]
		}
	}
	return "/Corefile"
}

// configMapOf returns the ConfigMap that a file of a replica comes from, and its key there.
func configMapOf(r *Replica, file string) (name, key string) {
	for _, mount := range r.Server().VolumeMounts {
		inside, below := strings.CutPrefix(file, strings.TrimSuffix(mount.MountPath, "/")+"/")
		if mount.MountPath == file && mount.SubPath != "" {
			inside, below = mount.SubPath, true
		}
		if !below {
			continue
		}
		for _, v := range r.Spec.Volumes {
			if v.Name == mount.Name && v.ConfigMap != nil {
				return v.ConfigMap.Name, keyOf(v.ConfigMap.Items, inside)
			}
		}
	}
	return "", ""
}

func keyOf(items []corev1.KeyToPath, inside string) string {
	for _, item := range items {
		if path.Clean(item.Path) == path.Clean(inside) {
			return item.Key
		}
	}
	return inside
}

// configMap returns a text of a ConfigMap.
func (p *Patient) configMap(ctx context.Context, namespace, name, key string) (string, error) {
	var m corev1.ConfigMap
	err := p.API.Get(ctx, "/api/v1/namespaces/"+namespace+"/configmaps/"+name, &m)
	if err != nil {
		return "", api.May(fmt.Sprintf("get the ConfigMap %s/%s", namespace, name), err)
	}
	text, ok := m.Data[key]
	if !ok {
		return "", fmt.Errorf("the ConfigMap %s/%s has no key %s", namespace, name, key)
	}
	return text, nil
}

// setEnv gives this process the variables of a replica, because a Corefile and our plugins read them. The function
// that it returns takes them back.
func setEnv(env []corev1.EnvVar) (restore func()) {
	env = slices.DeleteFunc(slices.Clone(env), func(v corev1.EnvVar) bool { return v.ValueFrom != nil })
	before := map[string]string{}
	for _, v := range env {
		if old, set := os.LookupEnv(v.Name); set {
			before[v.Name] = old
		}
		_ = os.Setenv(v.Name, v.Value) // fails for no name of a Pod
	}
	return func() {
		for _, v := range env {
			if old, set := before[v.Name]; set {
				_ = os.Setenv(v.Name, old)
			} else {
				_ = os.Unsetenv(v.Name)
			}
		}
	}
}
