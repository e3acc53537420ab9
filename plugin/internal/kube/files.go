package kube

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// file is a manifest file as it was when looked at.
type file struct {
	path string
	info os.FileInfo
}

// look is what the files are that some paths stand for, or why that cannot be said.
type look struct {
	files []file
	err   error
}

// lookAt finds the files. A path is a file of any name or a folder, of which the
// files count whose names end in .yaml, .yml or .json, but neither hidden ones
// nor folders below: as with kubectl -f, and as a mounted ConfigMap needs it.
func lookAt(paths []string) look {
	var l look
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return look{err: err}
		}
		if !info.IsDir() {
			l.files = append(l.files, file{path, info})
			continue
		}
		files, err := lookInto(path)
		if err != nil {
			return look{err: err}
		}
		l.files = append(l.files, files...)
	}
	return l
}

func lookInto(folder string) ([]file, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, entry := range entries {
		if !isManifest(entry.Name()) {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		info, err := os.Stat(path) // a mounted ConfigMap has symbolic links
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, file{path, info})
		}
	}
	return files, nil
}

func isManifest(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// same says whether nothing seems to have changed between two looks.
func (l look) same(other look) bool {
	if l.err != nil || other.err != nil {
		return l.err != nil && other.err != nil && l.err.Error() == other.err.Error()
	}
	return slices.EqualFunc(l.files, other.files, func(a, b file) bool {
		return a.path == b.path && os.SameFile(a.info, b.info) &&
			a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
	})
}

// changedSince says whether any file was changed after a time, or will be.
func (l look) changedSince(t time.Time) bool {
	return slices.ContainsFunc(l.files, func(f file) bool { return f.info.ModTime().After(t) })
}

// sizeLimit bounds the size of all files. The largest clusters that Kubernetes is tested
// with have 150,000 Pods, which kubectl writes with some 8 kB each.
const sizeLimit = 2 << 30

// sum reads all files of a look, and tells their contents apart, and errors too.
func (l look) sum(ctx context.Context) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	err = l.each(ctx, func(path string, in io.Reader) error {
		fmt.Fprintf(h, "%q", path)
		blank := &blankness{blank: true}
		n, err := io.Copy(io.MultiWriter(h, blank), in)
		// Whoever writes a file empties it first, and may take its time.
		if err == nil && blank.blank {
			err = fmt.Errorf("%s:1: expected a Kubernetes object, found an empty file", path)
		}
		_ = binary.Write(h, binary.BigEndian, n)
		return err
	})
	fmt.Fprint(h, err)
	return [sha256.Size]byte(h.Sum(nil)), err
}

// blankness finds out whether what is written to it is nothing but white space.
type blankness struct{ blank bool }

func (b *blankness) Write(data []byte) (int, error) {
	b.blank = b.blank && len(bytes.TrimSpace(data)) == 0
	return len(data), nil
}

// each gives take the files of a look, one after the other.
func (l look) each(ctx context.Context, take func(path string, in io.Reader) error) error {
	if l.err != nil {
		return l.err
	}
	var size int64
	for _, f := range l.files {
		if size += f.info.Size(); size > sizeLimit {
			return fmt.Errorf("%s: expected files of at most %d GiB in all", f.path, sizeLimit>>30)
		}
	}
	for _, f := range l.files {
		if err := f.read(ctx, take); err != nil {
			return err
		}
	}
	return nil
}

// read gives take the text of a file, in UTF-8 unless it begins with the mark of another
// encoding of Unicode: shells on Windows write UTF-16.
func (f file) read(ctx context.Context, take func(path string, in io.Reader) error) error {
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	text := transform.NewReader(until{ctx, io.LimitReader(in, sizeLimit)}, unicode.BOMOverride(encoding.Nop.NewDecoder()))
	return take(f.path, text)
}

// until reads until a context ends.
type until struct {
	ctx context.Context
	in  io.Reader
}

func (u until) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.in.Read(b)
}
