package main

import (
	"archive/tar"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// nameAnnotations are the annotations with the image's name: the one of the OCI layout, and
// the one that containerd and Docker read.
var nameAnnotations = []string{"org.opencontainers.image.ref.name", "io.containerd.image.name"}

// writeArchive writes an OCI layout (image-spec, image-layout.md) as one tar file for "ctr
// images import", "podman load" and "skopeo copy oci-archive:". The file always has the old
// content or the new one, never a part.
func writeArchive(s spec, output string) error {
	index, err := s.index()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(output), ".image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	layoutDir := filepath.Join(dir, "layout")
	if _, err := layout.Write(layoutDir, index); err != nil {
		return err
	}
	partial := filepath.Join(dir, "archive")
	if err := archiveDir(layoutDir, partial, s.Created); err != nil {
		return err
	}
	return os.Rename(partial, output)
}

// index returns an index that lists the image once under each name.
func (s spec) index() (v1.ImageIndex, error) {
	image, err := s.image()
	if err != nil {
		return nil, err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, name := range s.Names {
		annotations := map[string]string{}
		for _, key := range nameAnnotations {
			annotations[key] = name
		}
		entry := mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Annotations: annotations}}
		index = mutate.AppendManifests(index, entry)
	}
	return index, nil
}

// image returns an index with one image for each platform.
func (s spec) image() (mutate.Appendable, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, v := range s.Variants {
		platform, err := v1.ParsePlatform(v.Platform)
		if err != nil {
			return nil, err
		}
		image, err := s.variantImage(v, platform)
		if err != nil {
			return nil, fmt.Errorf("platform %s: %w", v.Platform, err)
		}
		entry := mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}}
		index = mutate.AppendManifests(index, entry)
	}
	return index, nil
}

func (s spec) variantImage(v variant, platform *v1.Platform) (v1.Image, error) {
	created := v1.Time{Time: s.Created.UTC()}
	config := &v1.ConfigFile{
		Architecture: platform.Architecture, OS: platform.OS, Variant: platform.Variant,
		Created: created, Config: s.config(), RootFS: v1.RootFS{Type: "layers"},
	}
	image, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), config)
	if err != nil {
		return nil, err
	}
	for _, files := range v.Layers {
		layer, err := newLayer(files, s.Created)
		if err != nil {
			return nil, err
		}
		entry := mutate.Addendum{Layer: layer, History: v1.History{Created: created}}
		if image, err = mutate.Append(image, entry); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// archiveDir archives the files of the folder, sorted by name, all with the same time,
// owner and mode.
func archiveDir(dir, output string, modified time.Time) error {
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	defer file.Close()
	writer := tar.NewWriter(file)
	walk := func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return archiveBlob(writer, dir, path, modified)
	}
	if err := filepath.WalkDir(dir, walk); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return file.Close()
}

func archiveBlob(writer *tar.Writer, dir, path string, modified time.Time) error {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	header := &tar.Header{
		Name: filepath.ToSlash(name), Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644, ModTime: modified,
	}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	_, err = writer.Write(content)
	return err
}
