package manifest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest/pieces"
)

// file is a manifest file at the time of a look.
type file struct {
	given string // the path in the Corefile that led to it
	path  string
	info  os.FileInfo
}

// fileSet is the set of files that some paths stand for, or the error that prevents finding
// them.
type fileSet struct {
	files  []file
	others []file // have the name of a manifest, but are not regular files
	err    error
}

// findFiles finds the files of some paths. A path is a file of any name or a folder. Of a
// folder, files count if their names end in .yaml, .yml or .json, but neither hidden files
// nor files in subfolders: the same as with kubectl -f, and as a mounted ConfigMap needs
// it.
//
// Only regular files and links to them are read. A pipe would block a reader, and a device
// may have no end.
func findFiles(paths []string) fileSet {
	var s fileSet
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = notThere(path)
		case err != nil:
		case info.IsDir():
			err = s.addFolder(path)
		case !info.Mode().IsRegular():
			err = fmt.Errorf("%s: expected a file or a folder, found %s", path, kindOf(info))
		default:
			s.files = append(s.files, file{path, path, info})
		}
		if err != nil {
			return fileSet{err: err}
		}
	}
	return s
}

// notThere returns the error of a path at which there is nothing. A relative one may begin
// at another folder than its author thinks.
func notThere(path string) error {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	if target, err := os.Readlink(path); err == nil {
		return fmt.Errorf("%s is a link to %s, where nothing is: expected a file or a folder with Kubernetes objects", path, target)
	}
	return fmt.Errorf("%s does not exist: expected a file or a folder with Kubernetes objects", path)
}

func (s *fileSet) addFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !isManifest(entry.Name()) {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		info, err := os.Stat(path) // a mounted ConfigMap has symbolic links
		if errors.Is(err, fs.ErrNotExist) && entry.Type()&fs.ModeSymlink != 0 {
			return notThere(path)
		}
		if err != nil {
			return err
		}
		if f := (file{folder, path, info}); info.Mode().IsRegular() {
			s.files = append(s.files, f)
		} else if !info.IsDir() {
			s.others = append(s.others, f)
		}
	}
	return nil
}

// kindOf describes a file that is not a regular file.
func kindOf(info os.FileInfo) string {
	switch mode := info.Mode(); {
	case mode&os.ModeNamedPipe != 0:
		return "a pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	case mode&os.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

func isManifest(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// same reports whether nothing seems to have changed between two looks.
func (s fileSet) same(other fileSet) bool {
	if s.err != nil || other.err != nil {
		return s.err != nil && other.err != nil && s.err.Error() == other.err.Error()
	}
	samePath := func(a, b file) bool { return a.path == b.path }
	return slices.EqualFunc(s.others, other.others, samePath) &&
		slices.EqualFunc(s.files, other.files, func(a, b file) bool {
			return samePath(a, b) && os.SameFile(a.info, b.info) &&
				a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
		})
}

// changedSince reports whether any file has a modification time after t.
func (s fileSet) changedSince(t time.Time) bool {
	return slices.ContainsFunc(s.files, func(f file) bool { return f.info.ModTime().After(t) })
}

// sizeLimit bounds the size of all files together. The largest clusters that Kubernetes is
// tested with have 150,000 Pods, and kubectl writes about 8 kB for each.
const sizeLimit = 2 << 30

// digest reads all files and returns a hash of their contents, or of the error.
func (s fileSet) digest(ctx context.Context) (_ [sha256.Size]byte, err error) {
	h := sha256.New()
	for _, f := range s.others {
		fmt.Fprintf(h, "%q", f.path)
	}
	err = s.each(ctx, func(f file, in io.Reader) error {
		fmt.Fprintf(h, "%q", f.path)
		look := new(pieces.Content)
		n, err := io.Copy(io.MultiWriter(h, look), in)
		// A program that writes a file empties it first, and may take its time.
		if found := look.Lacking(); err == nil && found != "" {
			err = fmt.Errorf("%s:1: expected a Kubernetes object, found %s", f.path, found)
		}
		_ = binary.Write(h, binary.BigEndian, n)
		return err
	})
	fmt.Fprint(h, err)
	return [sha256.Size]byte(h.Sum(nil)), err
}

// each passes the files to take, one after another.
func (s fileSet) each(ctx context.Context, take func(file, io.Reader) error) error {
	if s.err != nil {
		return s.err
	}
	var size int64
	for _, f := range s.files {
		if size += f.info.Size(); size > sizeLimit {
			return fmt.Errorf("%s: expected files of at most %d GiB in all", f.path, sizeLimit>>30)
		}
	}
	for _, f := range s.files {
		if err := f.read(ctx, take); err != nil {
			return err
		}
	}
	return nil
}

// read passes the text of a file to take. The text is UTF-8, unless the file begins with
// the byte order mark of another Unicode encoding: shells on Windows write UTF-16.
func (f file) read(ctx context.Context, take func(file, io.Reader) error) error {
	in, err := f.open()
	if err != nil {
		return err
	}
	defer in.Close()
	text := transform.NewReader(contextReader{ctx, io.LimitReader(in, sizeLimit)}, unicode.BOMOverride(encoding.Nop.NewDecoder()))
	return take(f, text)
}

// open opens a file, and does not block if the file has become a pipe since the look. It
// does not open files without a size: files of the kernel have none, and may block a reader
// as well.
func (f file) open() (io.ReadCloser, error) {
	if f.info.Size() == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	in, err := os.OpenFile(f.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := in.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: expected a file, found %s", f.path, kindOf(info))
	}
	if err != nil {
		_ = in.Close()
		return nil, err
	}
	return in, nil
}

// contextReader fails when its context ends.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (u contextReader) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.in.Read(b)
}
