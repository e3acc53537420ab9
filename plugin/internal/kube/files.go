package kube

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
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

// text is a file that has been read.
type text struct {
	path string
	data []byte
}

// read reads all files of a look.
func (l look) read() ([]text, error) {
	if l.err != nil {
		return nil, l.err
	}
	var texts []text
	for _, f := range l.files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return nil, err
		}
		// Whoever writes a file empties it first, and may take its time.
		if len(bytes.TrimSpace(data)) == 0 {
			return nil, fmt.Errorf("%s:1: expected a Kubernetes object, found an empty file", f.path)
		}
		texts = append(texts, text{f.path, data})
	}
	return texts, nil
}

// sumOf tells contents apart, and errors too.
func sumOf(texts []text, err error) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, t := range texts {
		for _, part := range [][]byte{[]byte(t.path), t.data} {
			_ = binary.Write(h, binary.BigEndian, int64(len(part)))
			h.Write(part)
		}
	}
	fmt.Fprint(h, err)
	return [sha256.Size]byte(h.Sum(nil))
}
