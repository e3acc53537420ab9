package main

import (
	"runtime/debug"
	"strings"

	"github.com/coredns/coredns/coremain"
)

// version is our own version, set by the linker: -X main.version=0.1.0.
var version string

// appVersion puts our version beside CoreDNS's as build metadata, so that what
// reads only the leading number still sees which CoreDNS this is.
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

// moduleVersion turns what the go command recorded into our form. A second "+"
// would make the whole no valid version, hence the dot for "+dirty".
func moduleVersion(recorded string) string {
	if recorded == "" || recorded == "(devel)" {
		return "dev"
	}
	return strings.ReplaceAll(strings.TrimPrefix(recorded, "v"), "+", ".")
}
