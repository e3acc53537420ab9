package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonRoot is the user of the stock image as well. It is a number, because kubelet cannot
// check runAsNonRoot with a name.
const nonRoot = "65532:65532"

// release is the input of the product's image.
type release struct {
	name     string // repository without the tag
	version  string
	commit   string
	created  time.Time
	binaries map[string]string // paths by platform
}

// spec returns the specification of an image from scratch that can replace the stock one:
// the same entry point, user and ports, and the same right to bind port 53.
func (r release) spec(platforms []string) (spec, error) {
	certificates, err := rootCertificates()
	if err != nil {
		return spec{}, err
	}
	s := spec{
		Names:      []string{r.name + ":" + tag(r.version)},
		Created:    r.created,
		User:       nonRoot,
		Entrypoint: []string{"/coredns"},
		WorkingDir: "/",
		Ports:      []string{"53/tcp", "53/udp"},
		Labels:     r.labels(),
	}
	for _, platform := range platforms {
		binary := file{Path: "/coredns", Source: r.binaries[platform], Mode: 0o755, BindsPrivilegedPorts: true}
		trust := file{Path: "/etc/ssl/certs/ca-certificates.crt", Content: certificates}
		s.Variants = append(s.Variants, variant{Platform: platform, Layers: [][]file{{trust}, {binary}}})
	}
	return s, s.check()
}

// labels returns labels of the image specification (image-spec, annotations.md).
func (r release) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "coredns",
		"org.opencontainers.image.description": "CoreDNS with the ClusterDNS plugin in the place of stock kubernetes",
		"org.opencontainers.image.version":     r.version,
		"org.opencontainers.image.revision":    r.commit,
		"org.opencontainers.image.created":     r.created.UTC().Format(time.RFC3339),
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
}

// tag returns a version as a tag, in which "+" is not allowed.
func tag(version string) string { return strings.ReplaceAll(version, "+", "-") }

// rootCertificates returns Mozilla's root certificates, from a Go module and not from this
// machine, so that the image is the same wherever it is made. It leaves out roots that
// Mozilla trusts with conditions only, because a PEM file cannot state conditions.
func rootCertificates() ([]byte, error) {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// parseBinaries parses arguments such as "linux/amd64=bin/coredns", and keeps their order.
func parseBinaries(arguments []string) (platforms []string, binaries map[string]string, err error) {
	binaries = map[string]string{}
	for _, argument := range arguments {
		platform, path, found := strings.Cut(argument, "=")
		if !found {
			return nil, nil, fmt.Errorf("%q: expected PLATFORM=BINARY, such as linux/amd64=bin/coredns", argument)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, nil, err
		}
		platforms, binaries[platform] = append(platforms, platform), path
	}
	if len(platforms) == 0 {
		return nil, nil, errors.New("no binary given: expected PLATFORM=BINARY")
	}
	return platforms, binaries, nil
}
