package state

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// maxSize bounds the memory of a read. The reference cluster, with 100,000 endpoints, takes 1 MiB.
const maxSize = 32 << 20

// unfinished is what the name of a file that is being written ends in, after a random part.
const unfinished = ".unfinished"

// abandoned is the age at which an unfinished file is nobody's: its writer was killed.
const abandoned = 10 * time.Minute

// Open reads a file and checks its sum. It reads nothing but a regular file: a pipe would keep it
// waiting.
func Open(path string) (*File, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxSize {
		return nil, fmt.Errorf("it has %d bytes: expected %d at most", size, maxSize)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, errDamaged
	} else if err != nil {
		return nil, err
	}
	return decode(data)
}

func openRegular(path string) (_ *os.File, size int64, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	about, err := f.Stat()
	if err == nil && about.IsDir() {
		err = errors.New("expected a regular file, found a folder")
	} else if err == nil && !about.Mode().IsRegular() {
		err = errors.New("expected a regular file, found a pipe, a socket or a device")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, about.Size(), nil
}

// Write writes a file beside path, for its owner alone, and renames it to path. Whoever reads path
// meanwhile, or after the process was killed, finds the file of before.
func Write(path string, h Header, s *cluster.Snapshot) error {
	data := encode(h, s)
	if len(data) > maxSize {
		return fmt.Errorf("it would have %d bytes, and %d at most are read", len(data), maxSize)
	}
	if err := spare(path); err != nil {
		return err
	}
	if err := replace(path, data); err != nil {
		return fmt.Errorf("cannot write in %s: %w", filepath.Dir(path), cause(err))
	}
	return nil
}

// spare returns an error if what is at path is no state: a path that is written wrongly must not cost a
// file of others. A state begins as its first line does, in any version, or with zeros after a crash of
// the machine. What cannot be read is replaced, so that a server can go on whose user has changed.
func spare(path string) error {
	f, _, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	const known = "clusterdns state "
	begins := make([]byte, len(known))
	n, err := io.ReadFull(f, begins)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return cause(err)
	}
	if begins = begins[:n]; strings.HasPrefix(known, string(begins)) || begins[0] == 0 {
		return nil
	}
	return errors.New("another program's file is there, which stays as it is: expected a path for ClusterDNS alone")
}

func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), prefixOf(path)+"*"+unfinished)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = cmp.Or(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// cause returns an error without the random name, so that the same trouble has the same text.
func cause(err error) error {
	var file *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &file):
		return file.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// Sweep removes what writers of the file have left unfinished, before the given time or, by a clock
// that was set back since, after it.
func Sweep(path string, now time.Time) {
	folder, prefix := filepath.Dir(path), prefixOf(path)
	left, _ := os.ReadDir(folder)
	for _, entry := range left {
		if !strings.HasPrefix(entry.Name(), prefix) || !strings.HasSuffix(entry.Name(), unfinished) {
			continue
		}
		if about, err := entry.Info(); err == nil && now.Sub(about.ModTime()).Abs() > abandoned {
			os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// prefixOf returns what the names of unfinished files begin with.
func prefixOf(path string) string { return "." + filepath.Base(path) + "." }
