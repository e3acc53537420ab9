package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// spec is the specification of an image. The same spec and the same files make the same
// bytes, on any machine and at any time.
type spec struct {
	// Names are references such as "registry.example/clusterdns/coredns:0.1.0".
	Names []string
	// Created is the time of the image and of every file in it.
	Created    time.Time
	User       string // "uid:gid"
	Entrypoint []string
	Cmd        []string
	Env        []string
	WorkingDir string
	Ports      []string // "53/udp"
	Labels     map[string]string
	Variants   []variant // one per platform
}

// variant is the image of one platform.
type variant struct {
	Platform string // "linux/amd64"
	Layers   [][]file
}

// file is an entry of a layer: a folder, a symbolic link, or a regular file whose content
// is given or copied from a file of this machine.
type file struct {
	Path    string      // absolute, in the image
	Mode    fs.FileMode // with fs.ModeDir for a folder; 0 means 0644, or the mode of Source
	Link    string      // target of a symbolic link
	Source  string      // path on this machine
	Content []byte
	// BindsPrivilegedPorts lets the program bind ports below 1024 without root, if the
	// container may.
	BindsPrivilegedPorts bool
}

func readSpec(path string) (spec, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return spec{}, err
	}
	var s spec
	if err := json.Unmarshal(text, &s); err != nil {
		return spec{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return spec{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s spec) check() error {
	if len(s.Names) == 0 {
		return errors.New("no Names: expected a reference such as registry.example/name:tag")
	}
	if len(s.Variants) == 0 {
		return errors.New("no Variants: expected one per platform")
	}
	for _, v := range s.Variants {
		if err := v.check(); err != nil {
			return fmt.Errorf("platform %q: %w", v.Platform, err)
		}
	}
	return nil
}

func (v variant) check() error {
	platform, err := v1.ParsePlatform(v.Platform)
	if err != nil {
		return err
	}
	if platform.OS == "" || platform.Architecture == "" {
		return errors.New("expected os/architecture, such as linux/amd64")
	}
	for _, files := range v.Layers {
		for _, f := range files {
			if len(f.Path) < 2 || f.Path[0] != '/' {
				return fmt.Errorf("file %q: expected an absolute path", f.Path)
			}
		}
	}
	return nil
}

func (s spec) config() v1.Config {
	ports := make(map[string]struct{}, len(s.Ports))
	for _, port := range s.Ports {
		ports[port] = struct{}{}
	}
	return v1.Config{
		User: s.User, Entrypoint: s.Entrypoint, Cmd: s.Cmd, Env: s.Env,
		WorkingDir: s.WorkingDir, ExposedPorts: ports, Labels: s.Labels,
	}
}
