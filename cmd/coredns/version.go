package main

import (
	"runtime/debug"
	"strings"

	"github.com/coredns/coredns/coremain"
)

// version is our own version, set by the linker: -X main.version=0.1.0.
var version string

// appVersion returns CoreDNS's version with ours as build metadata, so that a program that
// reads only the leading number still sees the version of CoreDNS.
func appVersion() string {
	return coremain.CoreVersion + "+clusterdns-" + ourVersion()
}

func ourVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return moduleVersion("")
	}
	return moduleVersion(info.Main.Version)
}

// moduleVersion turns the version that the go command recorded into our form. It replaces a
// second "+", as in "+dirty", by a dot, because the version would otherwise be invalid.
func moduleVersion(recorded string) string {
	if recorded == "" || recorded == "(devel)" {
		return "dev"
	}
	return strings.ReplaceAll(strings.TrimPrefix(recorded, "v"), "+", ".")
}
