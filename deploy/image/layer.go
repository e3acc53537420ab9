package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// capabilityRecord is the PAX record that container runtimes unpack as the
// extended attribute security.capability.
const capabilityRecord = "SCHILY.xattr.security.capability"

// newLayer makes the layer of the files and their parent folders, all owned by root.
func newLayer(files []file, modified time.Time) (v1.Layer, error) {
	content, err := archiveFiles(withFolders(files), modified)
	if err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return tarball.LayerFromOpener(opener, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// withFolders sorts the files and adds their parent folders that are not listed.
func withFolders(files []file) []file {
	all := slices.Clone(files)
	listed := map[string]bool{"/": true}
	for _, f := range files {
		listed[f.Path] = true
	}
	for _, f := range files {
		for dir := path.Dir(f.Path); !listed[dir]; dir = path.Dir(dir) {
			listed[dir] = true
			all = append(all, file{Path: dir, Mode: fs.ModeDir | 0o755})
		}
	}
	slices.SortStableFunc(all, func(a, b file) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func archiveFiles(files []file, modified time.Time) ([]byte, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, f := range files {
		if err := f.archive(writer, modified); err != nil {
			return nil, fmt.Errorf("file %s: %w", f.Path, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}

func (f file) archive(writer *tar.Writer, modified time.Time) error {
	header := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), ModTime: modified, Format: tar.FormatPAX}
	if f.BindsPrivilegedPorts {
		header.PAXRecords = map[string]string{capabilityRecord: string(bindCapability())}
	}
	content, mode, err := f.read()
	if err != nil {
		return err
	}
	header.Mode = int64(mode.Perm())
	switch {
	case f.Link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, f.Link, 0o777
	case mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		if mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
	default:
		header.Typeflag, header.Size = tar.TypeReg, int64(len(content))
	}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	_, err = writer.Write(content)
	return err
}

func (f file) read() ([]byte, fs.FileMode, error) {
	if f.Source == "" {
		if f.Mode == 0 {
			f.Mode = 0o644
		}
		return f.Content, f.Mode, nil
	}
	status, err := os.Stat(f.Source)
	if err != nil {
		return nil, 0, err
	}
	if f.Mode == 0 {
		f.Mode = status.Mode()
	}
	content, err := os.ReadFile(f.Source)
	return content, f.Mode, err
}

// bindCapability returns CAP_NET_BIND_SERVICE, permitted and effective, as revision 2 of
// struct vfs_cap_data (linux/capability.h): flags, then permitted and inheritable, low and
// high words.
func bindCapability() []byte {
	const (
		revision2      = 0x02000000
		effective      = 0x000001
		netBindService = 10
	)
	var value []byte
	for _, word := range []uint32{revision2 | effective, 1 << netBindService, 0, 0, 0} {
		value = binary.LittleEndian.AppendUint32(value, word)
	}
	return value
}
