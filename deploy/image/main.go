// The image command writes OCI images without a container engine: the product's, and others
// for tests. The same input makes the same bytes.
//
// Usage:
//
//	image -o FILE coredns [-name REPOSITORY] -version V -commit C -created SECONDS PLATFORM=BINARY...
//	image -o FILE spec FILE.json
//
// FILE is an OCI layout in one tar file. The command is a Go module of its own, so that its
// dependencies do not become the product's.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	output := flags.String("o", "", "archive to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *output == "" {
		return errors.New("flag -o is missing: expected the archive to write")
	}
	s, err := parseSpec(flags.Args())
	if err != nil {
		return err
	}
	return writeArchive(s, *output)
}

func parseSpec(args []string) (spec, error) {
	switch {
	case len(args) > 0 && args[0] == "coredns":
		return parseRelease(args[1:])
	case len(args) == 2 && args[0] == "spec":
		return readSpec(args[1])
	default:
		return spec{}, fmt.Errorf("arguments %q: expected \"coredns ...\" or \"spec FILE.json\"", args)
	}
}

func parseRelease(args []string) (spec, error) {
	var r release
	flags := flag.NewFlagSet("image coredns", flag.ContinueOnError)
	flags.StringVar(&r.name, "name", "registry.example/clusterdns/coredns", "repository, without a tag")
	flags.StringVar(&r.version, "version", "dev", "our version, which becomes the tag")
	flags.StringVar(&r.commit, "commit", "", "commit that the binaries were built from")
	created := flags.Int64("created", 0, "time of everything in the image, in seconds since 1970 (SOURCE_DATE_EPOCH)")
	if err := flags.Parse(args); err != nil {
		return spec{}, err
	}
	r.created = time.Unix(*created, 0)
	platforms, binaries, err := parseBinaries(flags.Args())
	if err != nil {
		return spec{}, err
	}
	r.binaries = binaries
	return r.spec(platforms)
}
